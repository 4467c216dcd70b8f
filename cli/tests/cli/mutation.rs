//! Whole runs of hostile guests, chosen at random: some with a few bytes changed, with random input and options.
//!
//! `CIPHER_MUTATION_SECONDS` sets a longer time, and `CIPHER_MUTATION_SEED` the first seed. A failure reports its seed.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::guests;
use crate::harness::{Cipher, Ended, new_directory};

/// The number of runs in a normal test.
const RUNS: u64 = 50;
/// The maximum size of the data of a run, in KiB: four guests of 64 MiB, with room for compiled code and results.
const DATA_KIB: u64 = 1 << 20;

/// A pseudorandom number generator (xorshift).
struct Random(u64);

impl Random {
    /// A generator that differs even for consecutive seeds.
    fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        random.below(1);
        random
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % end as u64).expect("it is less than a usize")
    }

    fn one<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// A short text, which contains no separator of records.
    fn text(&mut self) -> String {
        let parts = ["", "a", "Hello, World!", "é🦀", "\u{202e}", "\\", "\"", " "];
        (0..self.below(6)).map(|_| self.one(&parts)).collect()
    }
}

/// The components of the corpus.
fn components() -> Vec<PathBuf> {
    let mut files = guests::files(guests::misbehaving());
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    files
}

/// How records are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Argument,
    Stdin,
    Lines,
    Batch,
}

struct Run {
    mode: Mode,
    records: usize,
    cipher: Cipher,
    description: String,
}

impl Run {
    fn new(seed: u64, corpus: &[PathBuf]) -> Self {
        let random = &mut Random::new(seed);
        let mode = [Mode::Argument, Mode::Stdin, Mode::Lines, Mode::Batch][random.below(4)];
        let path = &corpus[random.below(corpus.len())];
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let mut component = fs::read(path).expect("it can be read");
        for _ in 0..random.below(4) / 3 * 4 {
            let at = random.below(component.len());
            component[at] ^= 1 << random.below(8);
        }
        let records = if matches!(mode, Mode::Lines | Mode::Batch) { random.below(5) } else { 1 };
        let texts: Vec<String> = (0..records).map(|_| random.text()).collect();
        let (algorithm, operation) = (format!("guests/{name}.wasm"), random.one(&["encrypt", "decrypt"]));
        let mut arguments: Vec<&str> = match mode {
            Mode::Argument => vec![operation, &algorithm, "--", &texts[0]],
            Mode::Stdin => vec![operation, &algorithm],
            Mode::Lines => vec![operation, &algorithm, "--lines", "-j", random.one(&["1", "4"])],
            Mode::Batch => vec!["batch", "-j", random.one(&["1", "4"])],
        };
        let mut options = vec!["--audit-format", "json", "--timeout", random.one(&["30ms", "100ms"])];
        options.extend(["--max-memory", random.one(&["1MiB", "64MiB"]), "--max-message", random.one(&["3", "1MiB"])]);
        if matches!(mode, Mode::Lines | Mode::Batch) && random.below(2) == 0 {
            options.push("--isolate");
        }
        if mode == Mode::Lines {
            options.extend(["--on-error", random.one(&["skip", "empty", "fail"])]);
        }
        arguments.splice(1..1, options);
        let input: Vec<String> = match mode {
            Mode::Argument => Vec::new(),
            Mode::Stdin => texts.clone(),
            Mode::Lines => texts.iter().map(|text| format!("{text}\n")).collect(),
            Mode::Batch => (1..)
                .zip(&texts)
                .map(|(id, text)| format!("{}\n", json!({ "id": id, "algorithm": name, "message": text })))
                .collect(),
        };
        let description = format!("CIPHER_MUTATION_SEED={seed}: {name}: cipher {}", arguments.join(" "));
        let script = format!("ulimit -d {DATA_KIB}; exec cipher \"$@\" 2>&1");
        let cipher = Cipher::shell(script).args(["sh"]).args(&arguments).stdin(input.concat());
        let directory = cipher.directory().join("guests");
        fs::create_dir(&directory).expect("it is ours");
        fs::write(directory.join(format!("{name}.wasm")), component).expect("it is ours");
        let manifest = format!("name = \"{name}\"\ndescription = \"For a test\"\n");
        fs::write(directory.join(format!("{name}.toml")), manifest).expect("it is ours");
        let cipher = cipher.env("CIPHER_GUESTS", directory);
        Self { mode, records, cipher, description }
    }

    /// Expects an orderly end, with stdout and stderr in one pipe.
    fn check(&self, ended: &Ended) {
        let output = String::from_utf8_lossy(&ended.stdout);
        let expect = |is_so: bool, what: &str| assert!(is_so, "{what}: {}\n{output}", self.description);
        expect(matches!(ended.status, Some(0 | 1 | 3..=6)), &format!("it ends with {:?}", ended.status));
        expect(!output.contains("panicked"), "it panics");
        let lines: Vec<Value> = output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let mut event_record = 0;
        let mut answers = 0;
        for line in &lines {
            if let Some(record) = line["record"].as_u64().filter(|_| line.get("sequence").is_some()) {
                expect(record >= event_record, "the events are not in order");
                event_record = record;
            } else if let Some(id) = line["id"].as_u64().filter(|_| self.mode == Mode::Batch) {
                answers += 1;
                expect(id == answers, "the answers are not in order");
            }
        }
        if self.mode == Mode::Batch {
            expect(answers == self.records as u64, "an answer is missing");
            self.check_events_first(&lines, &expect);
        }
    }

    /// Expects the events of each record before its answer.
    fn check_events_first(&self, lines: &[Value], expect: &impl Fn(bool, &str)) {
        for (at, line) in lines.iter().enumerate() {
            let Some(id) = line["id"].as_u64().filter(|_| line.get("sequence").is_none()) else { continue };
            let is_late = |event: &Value| event.get("sequence").is_some() && event["record"] == id;
            expect(!lines[at..].iter().any(is_late), "an event comes after the answer");
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().expect("a number"))
}

#[test]
fn random_runs_end_orderly() {
    let corpus = components();
    let caches = new_directory();
    let seconds = number("CIPHER_MUTATION_SECONDS").map(Duration::from_secs);
    let first = number("CIPHER_MUTATION_SEED").unwrap_or(1);
    let started = Instant::now();
    let mut runs = 0;
    while seconds.map_or(runs < RUNS, |seconds| started.elapsed() < seconds) {
        let mut run = Run::new(first + runs, &corpus);
        run.cipher = run.cipher.env("XDG_CACHE_HOME", caches.path());
        run.check(&run.cipher.run());
        runs += 1;
    }
    println!("{runs} runs");
}
