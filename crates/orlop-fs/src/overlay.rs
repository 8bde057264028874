//! [`Overlay`]: layers over each other as one file system.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;

use rustix::io::Errno;
use rustix::mount::FsOpenFlags;

use crate::error::Context;
use crate::{Error, Flags, Mount, Root};

const NAME: &str = "overlay";

/// An overlay to be mounted: layers that are only read, and one that takes what is written.
///
/// ```no_run
/// use orlop_fs::{Overlay, Root};
///
/// # fn main() -> Result<(), orlop_fs::Error> {
/// let (base, top) = (Root::open("/layers/base")?, Root::open("/layers/top")?);
/// let (upper, work) = (Root::open("/c1/upper")?, Root::open("/c1/work")?);
/// let mount = Overlay::new().lower(&top).lower(&base).upper(&upper, &work).mount()?;
/// assert!(mount.root()?.exists("etc/hostname")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Overlay<'a> {
    lower: Vec<BorrowedFd<'a>>,
    upper: Option<(BorrowedFd<'a>, BorrowedFd<'a>)>,
    flags: Flags,
    in_user_namespace: bool,
    volatile: bool,
}

impl<'a> Overlay<'a> {
    /// Without any layer yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a layer that is only read, below those that were added before.
    #[must_use]
    pub fn lower(mut self, dir: &'a Root) -> Self {
        self.lower.push(dir.as_fd());
        self
    }

    /// Where writes go. `work` is an empty directory on the same file system, for the kernel's use; both belong to this
    /// mount alone. Without it the overlay is read-only, and needs at least two lower layers.
    #[must_use]
    pub fn upper(mut self, upper: &'a Root, work: &'a Root) -> Self {
        self.upper = Some((upper.as_fd(), work.as_fd()));
        self
    }

    /// What may not be done.
    #[must_use]
    pub fn flags(mut self, flags: Flags) -> Self {
        self.flags = flags;
        self
    }

    /// Marks are kept in `user.overlay.*` attributes instead of `trusted.overlay.*`, as it must be in a user namespace.
    #[must_use]
    pub fn in_user_namespace(mut self, yes: bool) -> Self {
        self.in_user_namespace = yes;
        self
    }

    /// Nothing is synced to disk: faster, and lost with the power. Right for what does not outlive the container.
    #[must_use]
    pub fn volatile(mut self, yes: bool) -> Self {
        self.volatile = yes;
        self
    }

    /// Mounts it, attached nowhere.
    ///
    /// # Errors
    /// If the kernel has no overlay file system (`ENODEV`), or refuses a layer or the whole.
    pub fn mount(&self) -> Result<Mount, Error> {
        self.try_mount(&Self::each_layer)
            .or_else(|error| self.try_mount(&Self::all_layers).map_err(|_| error))
    }

    pub(crate) fn try_mount(
        &self,
        lower: &dyn Fn(&Self, BorrowedFd<'_>) -> Result<(), Error>,
    ) -> Result<Mount, Error> {
        let context =
            rustix::mount::fsopen(NAME, FsOpenFlags::FSOPEN_CLOEXEC).context("fsopen", Path::new(NAME))?;
        lower(self, context.as_fd())?;
        if let Some((upper, work)) = self.upper {
            layer(&context, "upperdir", upper).map_err(refused("upperdir".to_owned()))?;
            layer(&context, "workdir", work).map_err(refused("workdir".to_owned()))?;
        }
        for (flag, wanted) in
            [("userxattr", self.in_user_namespace), ("volatile", self.volatile && self.upper.is_some())]
        {
            if wanted {
                rustix::mount::fsconfig_set_flag(&context, flag).map_err(refused(flag.to_owned()))?;
            }
        }
        Mount::finish(&context, NAME, self.flags)
    }

    /// The lower layers one by one.
    fn each_layer(&self, context: BorrowedFd<'_>) -> Result<(), Error> {
        for (number, dir) in self.lower.iter().enumerate() {
            layer(context, "lowerdir+", *dir).map_err(refused(format!("lowerdir+ (layer {number})")))?;
        }
        Ok(())
    }

    /// The lower layers in one option, which is all that kernels before 6.5 know; with its 255 bytes that is some ten of
    /// them.
    pub(crate) fn all_layers(&self, context: BorrowedFd<'_>) -> Result<(), Error> {
        let paths: Vec<_> = self.lower.iter().map(|dir| link(*dir)).collect();
        rustix::mount::fsconfig_set_string(context, "lowerdir", paths.join(":"))
            .map_err(refused(format!("lowerdir ({} layers)", paths.len())))
    }
}

fn refused(option: String) -> impl FnOnce(Errno) -> Error {
    move |source| Error::Option { filesystem: NAME, option, source: source.into() }
}

/// The kernel's own link to a descriptor.
fn link(dir: BorrowedFd<'_>) -> String {
    format!("/proc/thread-self/fd/{}", dir.as_raw_fd())
}

/// A layer by descriptor, as kernels from 6.13 on take it, or by the kernel's own link to the descriptor (from 6.5 on).
fn layer(context: impl AsFd, key: &str, dir: BorrowedFd<'_>) -> Result<(), Errno> {
    match rustix::mount::fsconfig_set_fd(&context, key, dir) {
        Err(Errno::INVAL | Errno::OPNOTSUPP) => rustix::mount::fsconfig_set_string(&context, key, link(dir)),
        other => other,
    }
}
