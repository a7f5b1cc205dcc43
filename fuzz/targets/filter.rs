//! libFuzzer over `tollgate_fuzz::filter`.
#![no_main]

mod mutator;

libfuzzer_sys::fuzz_target!(|data: &[u8]| tollgate_fuzz::filter(data));
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| mutator::mutate(
    data, size, max_size, seed
));
