//! Complete writes, and atomic writes of lines to a pipe with several writers.

use std::io;
use std::os::fd::AsFd;

use rustix::event::PollFlags;
use rustix::io::Errno;
pub(crate) use rustix::pipe::PIPE_BUF;

use super::file;

/// Writes all of `bytes`, and waits if another process made the descriptor non-blocking.
///
/// # Errors
///
/// The system's error.
pub(crate) fn write_all(to: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => file::wait(&to, PollFlags::OUT)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Writes `lines`, possibly to a pipe: each line of at most [`PIPE_BUF`] bytes goes out in one write, together with
/// as many others as fit. Such a write is atomic.
///
/// # Errors
///
/// The system's error.
pub(crate) fn write_lines(to: impl AsFd, lines: &[u8]) -> io::Result<()> {
    let mut rest = lines;
    while !rest.is_empty() {
        let end = if rest.len() <= PIPE_BUF {
            rest.len()
        } else {
            memchr::memrchr(b'\n', &rest[..PIPE_BUF]).map_or(PIPE_BUF, |newline| newline + 1)
        };
        write_all(&to, &rest[..end])?;
        rest = &rest[end..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn keeps_lines_in_one_write() {
        // A socket that preserves the boundaries of writes.
        let (ours, theirs) = std::os::unix::net::UnixDatagram::pair().unwrap();
        let lines: Vec<String> = [5, PIPE_BUF - 8, 10, PIPE_BUF - 1, 1].map(|length| "x".repeat(length) + "\n").into();
        write_lines(&ours, lines.concat().as_bytes()).unwrap();
        let mut writes = Vec::new();
        let mut buffer = vec![0; 2 * PIPE_BUF];
        theirs.set_nonblocking(true).unwrap();
        while let Ok(length) = theirs.recv(&mut buffer) {
            writes.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
        assert_eq!(writes, [lines[..2].concat(), lines[2].clone(), lines[3].clone(), lines[4].clone()]);
    }

    #[test]
    fn waits_for_a_full_pipe() {
        let (mut reader, writer) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let bytes = vec![7; 1 << 20];
        let expected = bytes.clone();
        let reading = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            read
        });
        write_all(&writer, &bytes).unwrap();
        drop(writer);
        assert!(reading.join().unwrap() == expected);
    }
}
