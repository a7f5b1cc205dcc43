//! Every result code of SQLite, with a message that says too much.

use rusqlite::ffi;

use crate::{
    ErrorKind,
    sqlite::error::{Phase, breaks_connection, classify},
};

const MARKER: &str = "marker-of-what-is-hidden";

#[test]
fn every_result_code_ends_in_a_sentence_of_ours() {
    let mut seen = 0;
    for line in include_str!("../../../testdata/sqlite_codes.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [number, name, expected] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let number: i32 = number.parse().unwrap();
        for phase in [Phase::Opening, Phase::Preparing, Phase::PreparingOnce, Phase::Running] {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(number), Some(MARKER.to_owned()));
            let error = classify(failure, phase);
            let read = format!("{error} {}", error.kind.to_agent());
            assert!(!read.contains(MARKER), "{name}: {read}");
            assert_eq!(error.database_code.as_deref(), Some(&*number.to_string()));
            if phase == Phase::Running {
                assert_eq!(format!("{:?}", error.kind), expected, "{name}");
            }
            if phase == Phase::Opening {
                assert!(!matches!(error.kind, ErrorKind::Data | ErrorKind::Refused) || number & 0xff > 18, "{name}");
            }
            // Whatever is not known to be the statement's own fault ends the connection.
            let harmless = matches!(
                error.kind,
                ErrorKind::Data
                    | ErrorKind::Refused
                    | ErrorKind::Changed
                    | ErrorKind::Statement(_)
                    | ErrorKind::Conflict
                    | ErrorKind::Resources
            );
            assert_eq!(breaks_connection(&error), !harmless || number == ffi::SQLITE_NOMEM, "{name}");
        }
        seen += 1;
    }
    assert!(seen > 100);
}
