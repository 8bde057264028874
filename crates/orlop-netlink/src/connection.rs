//! A netlink socket, and what is the same for every protocol over it: batches with one send, answers attributed to
//! their requests, dumps that are tried again.

use std::io;
use std::time::Duration;

use netlink_sys::{Socket, SocketAddr};
use rustix::net::sockopt::{
    Timeout, set_socket_recv_buffer_size_force, set_socket_send_buffer_size,
    set_socket_send_buffer_size_force, set_socket_timeout,
};

use crate::Error;
use crate::attr::{attributes, text};

pub(crate) const REQUEST: u16 = 1;
pub(crate) const ACK: u16 = 4;
pub(crate) const REPLACE: u16 = 0x100;
pub(crate) const EXCL: u16 = 0x200;
pub(crate) const CREATE: u16 = 0x400;
pub(crate) const APPEND: u16 = 0x800;
pub(crate) const DUMP: u16 = 0x300;

const DUMP_INTR: u16 = 0x10;
const CAPPED: u16 = 0x100;
const ACK_TLVS: u16 = 0x200;

const MSG_ERROR: u16 = 2;
const MSG_DONE: u16 = 3;
const ERROR_TEXT: u16 = 1;
const MSG_TRUNC: i32 = 0x20;

pub(crate) const HEADER: usize = 16;

/// How often a dump is tried that changes disturb.
const ATTEMPTS: u32 = 32;

/// The kernel answers at once; this only keeps a lost answer from stopping a thread for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Messages in one send. Each is answered with some 800 bytes of the receive buffer, which is 208 KiB at least.
const IN_ONE_SEND: usize = 100;

/// A socket to the kernel in one network namespace.
pub(crate) struct Connection {
    socket: Socket,
    buffer: Vec<u8>,
    sequence: u32,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

/// One message of an answer.
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    flags: u16,
    sequence: u32,
    pub(crate) body: &'a [u8],
}

/// What a request is called in errors.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) operation: &'static str,
    pub(crate) object: String,
}

impl Label {
    fn error(&self, refusal: Refusal) -> Error {
        Error::Kernel {
            operation: self.operation,
            object: self.object.clone(),
            source: io::Error::from_raw_os_error(refusal.errno),
            message: refusal.message,
        }
    }
}

struct Refusal {
    errno: i32,
    message: Option<String>,
}

/// Requests in the order in which the kernel is to do them, each with its label.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    pub(crate) bytes: Vec<u8>,
    pub(crate) labels: Vec<Label>,
    /// Where each begins.
    starts: Vec<usize>,
}

impl Requests {
    /// Appends one request; `fill` writes what follows the header.
    pub(crate) fn push(&mut self, kind: u16, flags: u16, label: Label, fill: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(&(REQUEST | flags).to_ne_bytes());
        self.bytes.extend_from_slice(&[0; 8]);
        fill(&mut self.bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let len = u32::try_from(self.bytes.len() - start).expect("requests are small");
        self.bytes[start..start + 4].copy_from_slice(&len.to_ne_bytes());
        self.labels.push(label);
        self.starts.push(start);
    }

    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Adds flags to the last request.
    pub(crate) fn acknowledge_last(&mut self, flags: u16) {
        if let Some(start) = self.starts.last() {
            let at = start + 6..start + 8;
            let had = u16::from_ne_bytes([self.bytes[at.start], self.bytes[at.start + 1]]);
            self.bytes[at].copy_from_slice(&(had | flags).to_ne_bytes());
        }
    }

    /// Numbers them from `first` on.
    fn number(&mut self, first: u32) {
        for (i, start) in self.starts.iter().enumerate() {
            #[expect(clippy::cast_possible_truncation, reason = "bounded by the memory that they take")]
            let sequence = first.wrapping_add(i as u32);
            self.bytes[start + 8..start + 12].copy_from_slice(&sequence.to_ne_bytes());
        }
    }

    fn range(&self, from: usize, to: usize) -> &[u8] {
        let end = self.starts.get(to).copied().unwrap_or(self.bytes.len());
        &self.bytes[self.starts[from]..end]
    }
}

impl Connection {
    /// Opens a socket in the namespace of the calling thread.
    pub(crate) fn open(protocol: isize) -> Result<Self, Error> {
        let failed = || Error::system("open", format!("netlink socket of protocol {protocol}"));
        let socket = Socket::new(protocol).map_err(failed())?;
        socket.connect(&SocketAddr::new(0, 0)).map_err(failed())?;
        socket.set_ext_ack(true).map_err(failed())?;
        socket.set_cap_ack(true).map_err(failed())?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE)).map_err(|errno| failed()(errno.into()))?;
        // More room for answers. Only the administrator of the first user namespace may; it works without.
        let _ = set_socket_recv_buffer_size_force(&socket, 1 << 20);
        Ok(Self { socket, buffer: Vec::with_capacity(64 << 10), sequence: 0 })
    }

    /// Makes room for a send of this many bytes, which must not be split.
    pub(crate) fn room(&self, bytes: usize) -> Result<(), Error> {
        if bytes > 64 << 10 && set_socket_send_buffer_size_force(&self.socket, bytes * 2).is_err() {
            set_socket_send_buffer_size(&self.socket, bytes * 2)
                .map_err(|errno| Error::system("enlarge", "netlink socket's send buffer")(errno.into()))?;
        }
        Ok(())
    }

    pub(crate) fn next(&mut self, how_many: usize) -> u32 {
        let first = self.sequence.wrapping_add(1);
        #[expect(clippy::cast_possible_truncation, reason = "a batch is far smaller")]
        let how_many = how_many as u32;
        self.sequence = self.sequence.wrapping_add(how_many);
        first
    }

    pub(crate) fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        loop {
            match self.socket.send(bytes, 0) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::system("send to", "netlink socket")(error)),
            }
        }
    }

    /// One datagram of answers; `false` if it did not fit into the buffer, which is larger from then on.
    pub(crate) fn receive(&mut self, operation: &'static str) -> Result<bool, Error> {
        loop {
            self.buffer.clear();
            let room = self.buffer.capacity();
            match self.socket.recv(&mut self.buffer, MSG_TRUNC) {
                Ok(len) if len > room => {
                    self.buffer.clear();
                    self.buffer.reserve_exact(len.next_power_of_two());
                    return Ok(false);
                }
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::system(operation, "netlink socket")(error)),
            }
        }
    }

    /// Sends all requests, and answers what became of each. They are done in order; one that fails does not keep the
    /// later ones from being tried.
    pub(crate) fn exchange(&mut self, requests: &mut Requests) -> Result<Vec<Result<(), Error>>, Error> {
        let count = requests.len();
        let mut results: Vec<Option<Result<(), Error>>> = (0..count).map(|_| None).collect();
        let first = self.next(count);
        requests.number(first);
        for from in (0..count).step_by(IN_ONE_SEND) {
            let to = (from + IN_ONE_SEND).min(count);
            let bytes = requests.range(from, to);
            self.room(bytes.len())?;
            self.send(bytes)?;
            let mut open = to - from;
            while open > 0 {
                self.receive(requests.labels[from].operation)?;
                for message in messages(&self.buffer) {
                    let i = message.sequence.wrapping_sub(first) as usize;
                    if message.kind != MSG_ERROR || i < from || i >= to || results[i].is_some() {
                        continue;
                    }
                    results[i] = Some(match message.refusal() {
                        Some(refusal) => Err(requests.labels[i].error(refusal)),
                        None => Ok(()),
                    });
                    open -= 1;
                }
            }
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// Sends a batch that is done whole or not at all. The last of its messages asks for an acknowledgement; errors
    /// come before it, or instead of it when they concern the batch itself.
    pub(crate) fn transact(&mut self, requests: &mut Requests) -> Result<(), Error> {
        let count = requests.len();
        let first = self.next(count);
        requests.number(first);
        self.room(requests.bytes.len())?;
        self.send(&requests.bytes)?;
        // The last but one: the last is the end of the batch.
        let acknowledged = count.saturating_sub(2);
        let mut failure = None;
        loop {
            self.receive(requests.labels[0].operation)?;
            for message in messages(&self.buffer) {
                let i = message.sequence.wrapping_sub(first) as usize;
                if message.kind != MSG_ERROR || i >= count {
                    continue;
                }
                if let Some(refusal) = message.refusal() {
                    let whole = i == 0;
                    failure.get_or_insert_with(|| requests.labels[i].error(refusal));
                    if whole {
                        return failure.map_or(Ok(()), Err);
                    }
                }
                if i == acknowledged {
                    return failure.map_or(Ok(()), Err);
                }
            }
        }
    }

    /// Asks for a list or for one object, and gives every message of the answer to `each`. A list that changes
    /// disturbed is asked for again, after `reset`.
    pub(crate) fn ask<S>(
        &mut self,
        requests: &mut Requests,
        mut state: impl FnMut() -> S,
        mut each: impl FnMut(&mut S, &Message<'_>) -> Result<(), Error>,
    ) -> Result<S, Error> {
        let label = requests.labels[0].clone();
        'again: for _ in 0..ATTEMPTS {
            let sequence = self.next(1);
            requests.number(sequence);
            self.send(&requests.bytes)?;
            let mut found = state();
            let mut disturbed = false;
            loop {
                disturbed |= !self.receive(label.operation)?;
                for message in messages(&self.buffer).filter(|message| message.sequence == sequence) {
                    disturbed |= message.flags & DUMP_INTR != 0;
                    match message.kind {
                        MSG_DONE | MSG_ERROR => {
                            let refusal = message.refusal();
                            return match refusal {
                                // EINTR: the list was disturbed.
                                Some(Refusal { errno: 4, .. }) => continue 'again,
                                Some(refusal) => Err(label.error(refusal)),
                                None if disturbed => continue 'again,
                                None => Ok(found),
                            };
                        }
                        _ => each(&mut found, &message)?,
                    }
                }
            }
        }
        Err(Error::Interrupted { operation: label.operation, attempts: ATTEMPTS })
    }
}

impl Message<'_> {
    /// The error in an acknowledgement or at the end of a list; none if all is well.
    fn refusal(&self) -> Option<Refusal> {
        let code = i32::from_ne_bytes(*self.body.first_chunk()?);
        if code == 0 {
            return None;
        }
        let after = if self.kind == MSG_DONE {
            4
        } else if self.flags & CAPPED != 0 {
            4 + HEADER
        } else {
            let len = self
                .body
                .get(4..8)
                .and_then(|len| len.first_chunk())
                .map_or(0, |len| u32::from_ne_bytes(*len));
            4 + (len as usize).next_multiple_of(4)
        };
        let message = (self.flags & ACK_TLVS != 0)
            .then(|| attributes(self.body.get(after..).unwrap_or_default()))
            .into_iter()
            .flatten()
            .find_map(|(kind, value)| (kind == ERROR_TEXT).then(|| text(value)));
        Some(Refusal { errno: code.wrapping_neg(), message })
    }
}

/// The messages in a datagram, as far as they are whole.
fn messages(mut rest: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let header = rest.first_chunk::<HEADER>()?;
        let len = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let message = Message {
            kind: u16::from_ne_bytes([header[4], header[5]]),
            flags: u16::from_ne_bytes([header[6], header[7]]),
            sequence: u32::from_ne_bytes([header[8], header[9], header[10], header[11]]),
            body: rest.get(HEADER..len)?,
        };
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_datagrams_end_the_list() {
        for bytes in
            [&[][..], &[0; 15], &[0; 16], &[0xff; 40], &[17, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert_eq!(messages(bytes).count(), 0, "{bytes:?}");
        }
        let mut requests = Requests::default();
        let label = Label { operation: "ask", object: String::new() };
        requests.push(18, DUMP, label.clone(), |body| body.extend_from_slice(&[1; 5]));
        requests.push(19, 0, label, |_| ());
        requests.number(u32::MAX);
        let read: Vec<_> = messages(&requests.bytes).map(|m| (m.kind, m.sequence, m.body.len())).collect();
        assert_eq!(read, [(18, u32::MAX, 8), (19, 0, 0)]);
    }
}
