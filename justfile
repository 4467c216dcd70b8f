# The recipes of this repository. Run them through scripts/just, which provides the tools they use.

set lazy
set positional-arguments

host := `rustc --print host-tuple`  # scripts/just knows it already, and sets it
root := quote(justfile_directory())
target := replace(host, "-linux-gnu", "-linux-musl")  # .cargo/config.toml says why
built := justfile_directory() / "target" / target / "release"
cipher := quote(built / "cipher")
link_libraries := quote(built / "link-libraries")

# The versions that are fuzzed are those of the program. Of this repository's code only the mapping of machine code is
# unsafe, which is not fuzzed: without the address sanitizer, several times as many inputs are tried.
cargo_fuzz := "PATH=.tools/bin:$PATH cargo +nightly fuzz"

pyspark := "pyspark==4.1.4"

python_files := "--config guest-vigenere/pyproject.toml cli/templates guest-vigenere scripts"

# The program finds the guests of the checkout beside itself: everything is in this one place.
export CARGO_BUILD_TARGET := target
export CARGO_TARGET_DIR := justfile_directory() / "target"

# Python's caches stay out of the sources.
export PYTHONDONTWRITEBYTECODE := "1"
export MYPY_CACHE_DIR := justfile_directory() / "target/python/mypy"
export RUFF_CACHE_DIR := justfile_directory() / "target/python/ruff"
export HYPOTHESIS_STORAGE_DIRECTORY := justfile_directory() / "target/python/hypothesis"

_list:
    @{{ quote(just_executable()) }} --justfile {{ quote(justfile()) }} --list --unsorted

# Build the program and both guests
build: guests
    @cargo build --release -p cipher-cli </dev/null
    @CIPHER_GUESTS= XDG_DATA_HOME=/nowhere {{ cipher }} cache add Caesar Vigenere </dev/null >&2

# Build the guests into target/guests
guests:
    @cargo rustc --release -p guest-caesar --target wasm32-wasip2 --crate-type cdylib </dev/null
    @scripts/publish target/wasm32-wasip2/release/guest_caesar.wasm target/guests/Caesar.wasm
    @scripts/publish guest-caesar/Caesar.toml target/guests/Caesar.toml
    @cargo build --release -p link-libraries </dev/null
    @scripts/build-vigenere {{ link_libraries }} </dev/null
    @scripts/publish guest-vigenere/Vigenere.toml target/guests/Vigenere.toml

# Run the program, as in: scripts/just run encrypt Caesar 'Hello, World!'
[no-cd]
[no-exit-message]
run *arguments: build
    @exec {{ cipher }} "$@"

# Run all tests: of the cipher logic on its own, and of the program with both guests
test: build
    .tools/venv/bin/pytest -o cache_dir={{ root }}/target/python/pytest guest-vigenere
    cargo test --release --workspace

# Write the actual output into the scenarios and README's examples; review the diff
scenarios: build
    SNAPSHOTS=overwrite cargo test --release -p cipher-cli --test cli -- scenarios::

# Run the program with its cache on disks that are full, read-only or noexec (Linux)
test-mounts: build
    @scripts/test-mounts {{ cipher }}

# Run the program under GNU parallel, and compare with one process alone
test-parallel: build
    @scripts/test-parallel {{ cipher }}

# Run it so, and on a Spark cluster of two workers on this machine (needs Java)
test-cluster: test-parallel
    @[ -x .tools/spark/bin/spark-submit ] || { .tools/venv/bin/python -m venv --clear .tools/spark && .tools/spark/bin/pip install --quiet {{ pyspark }}; }
    @.tools/spark/bin/python scripts/test_spark.py {{ cipher }}

# Make, build and run a guest from each template (needs npm, and clang with wasi-libc; some minutes)
test-templates *languages: build
    @scripts/test-templates {{ cipher }} "$@"

# Look for what breaks a reader of bytes: batch, component, escape, manifest or records (needs Rust's nightly)
fuzz target seconds="60": _cargo-fuzz
    @mkdir -p target/fuzz/corpus/"$1"
    @cp Cargo.lock cli/fuzz/Cargo.lock
    {{ cargo_fuzz }} run --fuzz-dir cli/fuzz --target-dir target/fuzz --target {{ host }} --sanitizer none "$1" target/fuzz/corpus/"$1" cli/fuzz/seeds/"$1" -- -timeout=20 -max_total_time={{ quote(seconds) }}

# Type into bash, zsh and fish, and open the manual (needs all four)
[no-cd]
test-shells prefix: (install prefix)
    @{{ root }}/.tools/venv/bin/python {{ root }}/scripts/test_shells.py "$1"

# Check format, lints and types, changing nothing
lint: _rust-components _python-bindings
    cargo fmt --all --check
    rustfmt --check --edition 2024 cli/templates/rust/src/lib.rs cli/fuzz/targets/*.rs
    cargo clippy --release --workspace --all-targets -- -D warnings
    cargo clippy --release -p guest-caesar --target wasm32-wasip2 -- -D warnings
    @cp Cargo.lock cli/fuzz/Cargo.lock
    cargo clippy --release --manifest-path cli/fuzz/Cargo.toml --no-default-features -- -D warnings
    .tools/venv/bin/ruff check {{ python_files }}
    .tools/venv/bin/ruff format --check {{ python_files }}
    .tools/venv/bin/mypy --config-file guest-vigenere/pyproject.toml guest-vigenere
    .tools/venv/bin/mypy --config-file guest-vigenere/pyproject.toml cli/templates/python
    .tools/venv/bin/mypy --strict scripts
    .tools/venv/bin/shellcheck scripts/bench scripts/build-vigenere scripts/install scripts/just scripts/publish scripts/test-mounts scripts/test-parallel scripts/test-templates cli/templates/*/build .ci/run
    .tools/venv/bin/shellcheck --shell=bash cli/completions/cipher.bash

# Format the sources, and mend what the linter can
fmt: _rust-components
    cargo fmt --all
    .tools/venv/bin/ruff check --fix {{ python_files }}
    .tools/venv/bin/ruff format {{ python_files }}

# Install the program and both guests under a prefix (~/.local if none is given)
[no-cd]
install prefix=(home_directory() / ".local"): build
    @{{ root }}/scripts/install {{ cipher }} "$1"

# Measure how fast it is
bench *arguments: build
    @CIPHER={{ cipher }} scripts/bench "$@"

# Remove everything that was built (but not the tools in .tools)
clean:
    cargo clean

# rustup's minimal profile lacks both.
_rust-components:
    @cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || rustup component add rustfmt clippy || { echo 'rustfmt and clippy are needed: install them with what installed Rust' >&2; exit 1; }

# cargo-fuzz calls compiler flags that only the nightly has.
_cargo-fuzz:
    @cargo +nightly --version >/dev/null 2>&1 || { echo "Rust's nightly is needed to fuzz: run 'rustup toolchain install nightly --profile minimal'" >&2; exit 1; }
    @[ -x .tools/bin/cargo-fuzz ] || cargo install --quiet --root .tools --target {{ host }} --version 0.13.2 --locked cargo-fuzz </dev/null

# What the type checker reads in place of the modules that componentize-py makes at build time.
_python-bindings:
    @rm -rf target/python/bindings
    @.tools/venv/bin/componentize-py -d wit -w streaming-encoder-decoder-service bindings target/python/bindings
