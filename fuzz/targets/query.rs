//! libFuzzer over `tollgate_fuzz::query`.
#![no_main]

mod mutator;

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::query(data));
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| mutator::mutate(
    data, size, max_size, seed
));
