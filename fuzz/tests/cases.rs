//! The targets over the cases of `testdata` and over changes of them; `TOLLGATE_MUTANTS` says how many of each.

use tollgate_fuzz::{
    arguments, filter,
    mutate::{self, Random},
    query, template,
};

fn mutants(target: fn(&[u8]), seeds: &[String]) {
    let many = std::env::var("TOLLGATE_MUTANTS").map_or(2_000, |text| text.parse().unwrap());
    seeds.iter().for_each(|seed| target(seed.as_bytes()));
    let mut random = Random::new(7);
    for _ in 0..many {
        let seed = &seeds[random.below(seeds.len())];
        target(mutate::mutate(seed, seeds, &mut random).as_bytes());
    }
}

#[test]
fn queries() {
    mutants(query, &mutate::seeds());
}

#[test]
fn filters() {
    let seeds: Vec<String> = mutate::seeds()
        .iter()
        .map(|text| text.split_once(": ").map_or(text.clone(), |(_, filter)| filter.to_owned()))
        .collect();
    mutants(filter, &seeds);
}

#[test]
fn templates() {
    mutants(template, &mutate::seeds());
}

#[test]
fn call_arguments() {
    let given =
        r#"{"name": "ab", "age": 5, "ids": [1, 2], "born": "2024-02-29", "score": 1e2, "active": true, "count": 3}"#;
    mutants(arguments, &[given.to_owned(), "{}".to_owned()]);
}
