//! TCP for the SMB client: no delay, and one write a message. The crate's own transport writes the four bytes of
//! length apart, and the kernel then holds the message back until the other side has acknowledged them.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use smb::transport::{IoVec, SmbTransport, SmbTransportRead, SmbTransportWrite, TransportError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

type Result<T> = std::result::Result<T, TransportError>;

/// A connected transport.
pub struct Tcp {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
}

struct Reading(OwnedReadHalf);
struct Writing(OwnedWriteHalf);

impl Tcp {
    /// Connects.
    ///
    /// # Errors
    /// What the system says; silence is [`std::io::ErrorKind::TimedOut`].
    pub async fn connect(address: SocketAddr, patience: Duration) -> std::io::Result<Self> {
        let stream = tokio::time::timeout(patience, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self { reader, writer })
    }
}

impl SmbTransport for Tcp {
    fn connect<'a>(&'a mut self, _server: &'a str, _address: SocketAddr) -> BoxFuture<'a, Result<()>> {
        async { Err(TransportError::AlreadyConnected) }.boxed()
    }

    fn default_port(&self) -> u16 {
        445
    }

    fn split(self: Box<Self>) -> Result<(Box<dyn SmbTransportRead>, Box<dyn SmbTransportWrite>)> {
        Ok((Box::new(Reading(self.reader)), Box::new(Writing(self.writer))))
    }

    fn remote_address(&self) -> Result<SocketAddr> {
        Ok(self.reader.peer_addr()?)
    }
}

impl SmbTransportRead for Tcp {
    fn receive_exact<'a>(&'a mut self, bytes: &'a mut [u8]) -> BoxFuture<'a, Result<()>> {
        read(&mut self.reader, bytes).boxed()
    }
}

impl SmbTransportWrite for Tcp {
    fn send_raw<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<()>> {
        write(&mut self.writer, bytes).boxed()
    }

    fn send<'a>(&'a mut self, message: &'a IoVec) -> BoxFuture<'a, Result<()>> {
        whole(&mut self.writer, message).boxed()
    }
}

impl SmbTransportRead for Reading {
    fn receive_exact<'a>(&'a mut self, bytes: &'a mut [u8]) -> BoxFuture<'a, Result<()>> {
        read(&mut self.0, bytes).boxed()
    }
}

impl SmbTransportWrite for Writing {
    fn send_raw<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<()>> {
        write(&mut self.0, bytes).boxed()
    }

    fn send<'a>(&'a mut self, message: &'a IoVec) -> BoxFuture<'a, Result<()>> {
        whole(&mut self.0, message).boxed()
    }
}

/// Any failure is the end of the connection: the crate's loops go on for ever on anything else.
async fn read(reader: &mut OwnedReadHalf, bytes: &mut [u8]) -> Result<()> {
    reader.read_exact(bytes).await.map(|_| ()).map_err(|_| TransportError::NotConnected)
}

async fn write(writer: &mut OwnedWriteHalf, bytes: &[u8]) -> Result<()> {
    writer.write_all(bytes).await.map_err(|_| TransportError::NotConnected)
}

/// Length (RFC 1002 section 4.3.1: a zero byte and 24 bits) and message in one write.
async fn whole(writer: &mut OwnedWriteHalf, message: &IoVec) -> Result<()> {
    let size = u32::try_from(message.total_size()).ok().filter(|size| *size < 1 << 24);
    let size = size.ok_or(TransportError::InvalidMessage)?;
    let mut bytes = Vec::with_capacity(message.total_size() + 4);
    bytes.extend_from_slice(&size.to_be_bytes());
    for part in message.iter() {
        bytes.extend_from_slice(part);
    }
    write(writer, &bytes).await
}
