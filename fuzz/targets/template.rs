//! libFuzzer over `tollgate_fuzz::template`.
#![no_main]

mod mutator;
mod seed;

libfuzzer_sys::fuzz_target!(init: seed::write("template"), |data: &[u8]| tollgate_fuzz::template(data));
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutator::mutate(data, size, max_size, seed)
});
