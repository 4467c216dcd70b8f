//! Runs the program and checks what it prints.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

/// Keeps a failing test from hanging. It is long enough for any machine, so no test depends on it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A run of the program. It inherits only `PATH` from the environment; a new directory is both its home and its working
/// directory.
pub(crate) struct Cipher {
    command: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    directory: TempDir,
}

impl Cipher {
    /// `cipher` with `arguments`.
    pub(crate) fn new(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let directory = new_directory();
        let command = vec![program()];
        Self { command, environment: Vec::new(), stdin: Vec::new(), directory }.args(arguments)
    }

    /// A shell that runs `script`, in which `cipher` is this program.
    pub(crate) fn shell(script: impl AsRef<str>) -> Self {
        Self::new(["-c", script.as_ref()]).program("sh")
    }

    /// The same shell with another script, in the same directory.
    pub(crate) fn script(mut self, script: &str) -> Self {
        *self.command.last_mut().expect("a shell has a script") = script.into();
        self
    }

    /// Runs another program instead, which finds this one as `cipher`.
    pub(crate) fn program(mut self, name: &str) -> Self {
        let cipher = program();
        let folder = Path::new(&cipher).parent().expect("a file is in a folder");
        let path = [folder.as_os_str(), &path()].join(OsStr::new(":"));
        self.command[0] = name.into();
        self.env("PATH", path)
    }

    /// Adds arguments.
    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets stdin, which is empty by default.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Writes a file in the working directory.
    pub(crate) fn file(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.directory.path().join(name), contents).expect("a file for the run");
        self
    }

    /// The working directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Reads a file in the working directory.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(name)).expect("a file that the run left")
    }

    /// Runs it until it ends, or kills it after [`PATIENCE`].
    pub(crate) fn run(&self) -> Ended {
        self.run_into(Stdio::piped(), Stdio::piped())
    }

    /// Runs it with these outputs, which [`Ended`] contains only if they are piped.
    pub(crate) fn run_into(&self, stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Ended {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(stdout).stderr(stderr).process_group(0);
        let mut child = spawn(&mut command);
        let mut stdin = child.stdin.take().expect("it is piped");
        let group = Pid::from_child(&child);
        let (running, ended) = sync_channel::<()>(0);
        let output = thread::scope(|scope| {
            // On its own thread, because the program writes, or even ends, before it has read everything.
            scope.spawn(move || stdin.write_all(&self.stdin));
            scope.spawn(move || {
                if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
            });
            let output = child.wait_with_output().expect("it was started");
            drop(running);
            output
        });
        Ended { status: output.status.code(), stdout: output.stdout, stderr: output.stderr }
    }

    /// Starts it, to interact with it.
    pub(crate) fn start(self) -> Running {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(&mut command);
        Running {
            stdin: child.stdin.take(),
            stdout: lines(child.stdout.take().expect("it is piped")),
            stderr: Some(rest(child.stderr.take().expect("it is piped"))),
            child,
            _cipher: self,
        }
    }

    /// The command, for a test that runs it in another way.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).env_clear().env("PATH", path()).env("HOME", self.directory.path());
        command.envs(self.environment.iter().cloned()).current_dir(self.directory.path());
        command
    }
}

/// A new directory, for files that outlive a run.
pub(crate) fn new_directory() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory is made")
}

/// The program under test: the one that was built with the tests, unless `CIPHER_UNDER_TEST` names another.
fn program() -> OsString {
    std::env::var_os("CIPHER_UNDER_TEST").unwrap_or_else(|| env!("CARGO_BIN_EXE_cipher").into())
}

/// Starts `command`. A copy of the program that a test just wrote cannot start for a moment: another test may have
/// forked while the copy was open for writing, and its child holds the descriptor until it runs a program of its own.
fn spawn(command: &mut Command) -> Child {
    let started = Instant::now();
    loop {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && started.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(5));
            }
            spawned => return spawned.expect("it starts"),
        }
    }
}

fn path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// The lines of `source` with their terminators, each as soon as it is complete. At most one is read ahead, so a
/// program whose output a test does not read has to wait.
fn lines(source: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        let mut source = BufReader::new(source);
        loop {
            let mut line = Vec::new();
            let read = source.read_until(b'\n', &mut line).expect("a pipe can be read");
            if read == 0 || sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Everything in `source` up to its end.
fn rest(mut source: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}

/// A running program.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<Vec<u8>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    /// Keeps the directory.
    _cipher: Cipher,
}

impl Running {
    /// Takes its stdin.
    pub(crate) fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().expect("it is taken or closed once")
    }

    /// Writes to its stdin.
    pub(crate) fn write(&mut self, text: &str) {
        self.stdin.as_mut().expect("it is still open").write_all(text.as_bytes()).expect("the program reads");
    }

    /// Waits for its next line.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let line = self.stdout.recv_timeout(PATIENCE).expect("a line comes out");
        String::from_utf8(line).expect("the output is text")
    }

    /// Its process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is still there");
    }

    /// Returns whether it still runs.
    pub(crate) fn goes_on(&mut self) -> bool {
        self.child.try_wait().expect("it was started").is_none()
    }

    /// Closes its stdin and waits for its end. Returns what it wrote since the last [`line`](Self::line).
    pub(crate) fn end(mut self) -> Ended {
        drop(self.stdin.take());
        let mut stdout = Vec::new();
        loop {
            match self.stdout.recv_timeout(PATIENCE) {
                Ok(line) => stdout.extend(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the program does not end"),
            }
        }
        let stderr = self.stderr.take().expect("it ends once").join().expect("it does not panic");
        Ended { status: self.child.wait().expect("it was started").code(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Unless the test failed, it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The end of a run.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if a signal ended it.
    pub status: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Ended {
    /// Expects an exit status.
    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "stderr: {}", self.diagnostics());
        self
    }

    /// Expects exactly this on stdout.
    #[track_caller]
    pub(crate) fn prints(self, stdout: impl AsRef<[u8]>) -> Self {
        same(&self.stdout, stdout);
        self
    }

    /// Expects exactly this on stderr, apart from the audit events of failed calls, which repeat the error.
    #[track_caller]
    pub(crate) fn says(self, stderr: &str) -> Self {
        let stderr_without = self.stderr_lines(|line| !line.starts_with("[AUDIT] Failed: "));
        same(stderr_without, stderr);
        self
    }

    /// Stdout as text.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("the output is text")
    }

    /// Stderr without audit events.
    pub(crate) fn diagnostics(&self) -> String {
        self.stderr_lines(|line| !line.starts_with("[AUDIT] "))
    }

    /// Audit events on stderr that guests recorded.
    pub(crate) fn audit_events(&self) -> String {
        self.stderr_lines(|line| line.starts_with("[AUDIT] ") && !line.starts_with("[AUDIT] Failed: "))
    }

    /// The lines of stderr that are `wanted`.
    pub(crate) fn stderr_lines(&self, wanted: impl Fn(&str) -> bool) -> String {
        String::from_utf8_lossy(&self.stderr).split_inclusive('\n').filter(|line| wanted(line)).collect()
    }
}

/// Expects the same bytes, and otherwise shows where they differ.
#[track_caller]
pub(crate) fn same(actual: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
    let (actual, expected) = (actual.as_ref(), expected.as_ref());
    if actual == expected {
        return;
    }
    let at = actual.iter().zip(expected).take_while(|(a, b)| a == b).count();
    let around = |bytes: &[u8]| {
        let start = at.saturating_sub(40).min(bytes.len());
        String::from_utf8_lossy(&bytes[start..bytes.len().min(at + 200)]).into_owned()
    };
    let lengths = format!("{} bytes, expected {}", actual.len(), expected.len());
    panic!("{lengths}; they differ at {at}:\n  actual: {:?}\nexpected: {:?}", around(actual), around(expected));
}

/// The audit event of a call, as a line.
pub(crate) fn audit_event(action: &str, text: &str) -> String {
    format!("[AUDIT] Action: {action} | Detail: Length: {}\n", text.chars().count())
}
