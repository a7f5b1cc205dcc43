//! libFuzzer over `tollgate_fuzz::query`.
#![no_main]

mod mutator;
mod seed;

libfuzzer_sys::fuzz_target!(init: seed::write("query"), |data: &[u8]| tollgate_fuzz::query(data));
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutator::mutate(data, size, max_size, seed)
});
