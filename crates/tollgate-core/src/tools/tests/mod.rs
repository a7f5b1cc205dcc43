//! Tools as tables of cases: each file below `testdata/tools/` is a case, and its snapshot beside it is what came of it.

mod bind;
mod cursor;
mod declare;
pub(super) mod fixtures;
mod properties;
mod values;
mod verify;

use std::{fs, path::PathBuf};

/// Runs every case of a folder and compares what it says with the snapshot of the case's name.
fn each_case(folder: &str, run: impl Fn(&str) -> String) {
    let mut paths: Vec<PathBuf> = fs::read_dir(testdata(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {folder}");
    for path in paths {
        let case = fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        snapshot(folder, &name, &run(&case));
    }
}

/// Compares with `testdata/tools/FOLDER/NAME.snap`.
fn snapshot(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(testdata(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn testdata(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/tools").join(folder)
}
