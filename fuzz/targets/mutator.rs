//! Half of the changes are libFuzzer's to the bytes, half are ours to the words.

use tollgate_fuzz::mutate::{self, Random};

thread_local! {
    static SEEDS: Vec<String> = mutate::seeds();
}

pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let text = std::str::from_utf8(&data[..size]).map(str::to_owned);
    match text {
        Ok(text) if seed % 2 == 0 => {
            let changed = SEEDS.with(|seeds| mutate::mutate(&text, seeds, &mut Random::new(u64::from(seed))));
            let length = changed.len().min(max_size);
            data[..length].copy_from_slice(&changed.as_bytes()[..length]);
            length
        }
        _ => libfuzzer_sys::fuzzer_mutate(data, size, max_size),
    }
}
