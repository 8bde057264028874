//! Programs of our own, for processes that are ours and not the container's: a few instructions in a sealed file in memory.
//! A process that executes one has nothing of the caller in it any more: no memory, no file, no name.

use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, SealFlags};

use crate::Error;

/// Waits for signals, for ever. As first process of a pid namespace with SIGCHLD ignored it keeps the namespace, and what
/// ends in it vanishes.
#[cfg(target_arch = "x86_64")]
const PAUSE: &[u8] = &[
    0xb8, 0x22, 0x00, 0x00, 0x00, // mov eax, 34 (pause)
    0x0f, 0x05, // syscall
    0xeb, 0xf7, // jmp to the beginning
];

/// Waits for signals, for ever.
#[cfg(target_arch = "aarch64")]
const PAUSE: &[u8] = &[
    0x00, 0x00, 0x80, 0xd2, // mov x0, 0
    0x01, 0x00, 0x80, 0xd2, // mov x1, 0
    0x02, 0x00, 0x80, 0xd2, // mov x2, 0
    0x03, 0x00, 0x80, 0xd2, // mov x3, 0
    0x28, 0x09, 0x80, 0xd2, // mov x8, 73 (ppoll of nothing)
    0x01, 0x00, 0x00, 0xd4, // svc 0
    0xfa, 0xff, 0xff, 0x17, // b to the beginning
];

/// None for this architecture.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const PAUSE: &[u8] = &[];

/// Executes what its first argument names, with the arguments after that. The process that does so has been executed
/// itself: what `/proc/self/exe` leads to while the container's file is being opened is this, not the program that uses
/// this crate, which an image could otherwise name as its interpreter and later overwrite (CVE-2019-5736).
///
/// Descriptor 3 is the report pipe. It is made to close on success; what fails, be it this, is written to it. Executed
/// without it, by somebody else, the program ends.
#[cfg(target_arch = "x86_64")]
const EXECUTE: &[u8] = &[
    0x48, 0x89, 0xe3, // mov rbx, rsp
    0xbf, 0x03, 0x00, 0x00, 0x00, // mov edi, 3
    0xbe, 0x02, 0x00, 0x00, 0x00, // mov esi, F_SETFD
    0xba, 0x01, 0x00, 0x00, 0x00, // mov edx, FD_CLOEXEC
    0xb8, 0x48, 0x00, 0x00, 0x00, // mov eax, 72 (fcntl)
    0x0f, 0x05, // syscall
    0x85, 0xc0, // test eax, eax
    0x78, 0x17, // js failed
    0x48, 0x8b, 0x7b, 0x08, // mov rdi, [rbx + 8]
    0x48, 0x8d, 0x73, 0x10, // lea rsi, [rbx + 16]
    0x48, 0x8b, 0x0b, // mov rcx, [rbx]
    0x48, 0x8d, 0x54, 0xcb, 0x10, // lea rdx, [rbx + rcx * 8 + 16]
    0xb8, 0x3b, 0x00, 0x00, 0x00, // mov eax, 59 (execve)
    0x0f, 0x05, // syscall
    0xf7, 0xd8, // failed: neg eax
    0x48, 0x83, 0xec, 0x10, // sub rsp, 16
    0xc7, 0x04, 0x24, 0x01, 0x00, 0x00, 0x00, // mov dword [rsp], 1 (failed)
    0xc7, 0x44, 0x24, 0x04, 0xff, 0xff, 0xff, 0xff, // mov dword [rsp + 4], -1 (executing)
    0x89, 0x44, 0x24, 0x08, // mov [rsp + 8], eax
    0x48, 0x89, 0xe6, // mov rsi, rsp
    0xbf, 0x03, 0x00, 0x00, 0x00, // mov edi, 3
    0xba, 0x0c, 0x00, 0x00, 0x00, // mov edx, 12
    0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1 (write)
    0x0f, 0x05, // syscall
    0xbf, 0x01, 0x00, 0x00, 0x00, // mov edi, 1
    0xb8, 0xe7, 0x00, 0x00, 0x00, // mov eax, 231 (exit_group)
    0x0f, 0x05, // syscall
];

/// None for this architecture: what is executed is executed directly.
#[cfg(not(target_arch = "x86_64"))]
const EXECUTE: &[u8] = &[];

/// `EM_X86_64` or `EM_AARCH64`.
const MACHINE: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

/// The program that waits.
///
/// # Errors
/// If there is none for this architecture, or the kernel has no files in memory that can be executed.
pub(crate) fn pause() -> Result<OwnedFd, Error> {
    if PAUSE.is_empty() {
        return Err(Error::spec("pid", "a shared pid namespace is not supported on this architecture"));
    }
    executable("orlop-pause", PAUSE)
}

/// The program that executes another, or nothing if there is none for this architecture.
///
/// # Errors
/// If the kernel has no files in memory that can be executed.
pub(crate) fn execute() -> Result<Option<OwnedFd>, Error> {
    if EXECUTE.is_empty() { Ok(None) } else { executable("orlop-exec", EXECUTE).map(Some) }
}

fn executable(name: &str, code: &[u8]) -> Result<OwnedFd, Error> {
    let failed = |error| Error::step("memfd_create", name, error);
    let sealing = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 don't know that it is to be executable, and don't mind.
    let file = rustix::fs::memfd_create(name, sealing | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create(name, sealing))
        .map_err(failed)?;
    let image = image(code);
    let written = rustix::io::write(&file, &image).map_err(failed)?;
    if written != image.len() {
        return Err(failed(rustix::io::Errno::NOSPC));
    }
    rustix::fs::fcntl_add_seals(
        &file,
        SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE,
    )
    .map_err(failed)?;
    Ok(file)
}

/// An ELF executable of one segment that begins with the code (elf(5)).
fn image(code: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let size = HEADERS + code.len() as u64;
    let mut out = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let half = |out: &mut Vec<u8>, values: &[u16]| values.iter().for_each(|v| out.extend(v.to_le_bytes()));
    let word = |out: &mut Vec<u8>, values: &[u32]| values.iter().for_each(|v| out.extend(v.to_le_bytes()));
    let long = |out: &mut Vec<u8>, values: &[u64]| values.iter().for_each(|v| out.extend(v.to_le_bytes()));
    // Executable, for this machine, version 1; entry, program headers, no sections; flags; sizes.
    half(&mut out, &[2, MACHINE]);
    word(&mut out, &[1]);
    long(&mut out, &[BASE + HEADERS, 64, 0]);
    word(&mut out, &[0]);
    half(&mut out, &[64, 56, 1, 64, 0, 0]);
    // To be loaded, readable and executable; offset, addresses, sizes, alignment.
    word(&mut out, &[1, 5]);
    long(&mut out, &[0, BASE, BASE, size, size, 0x1000]);
    out.extend_from_slice(code);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_one() {
        let image = image(&[1, 2, 3]);
        assert_eq!(image.len(), 64 + 56 + 3);
        assert_eq!(image[24..32], 0x40_0078_u64.to_le_bytes());
        assert!(!PAUSE.is_empty());
        let file = pause().expect("a file");
        assert!(rustix::io::write(&file, b"x").is_err(), "sealed");
    }
}
