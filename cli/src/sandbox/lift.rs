//! Results of a guest, copied from its memory straight to where they are wanted.
//!
//! Wasmtime returns a string as a `String`, an allocation for every record. When several workers allocate side by side, the
//! allocator's lock and the memory around it go from processor to processor: two workers then got through 1.5 times as many
//! records as one, and without it through 1.8 times. A `WasmStr`, which borrows, is no way out: when a call returns, the
//! guest has already been told to free its result (`post-return` in the canonical ABI).

use std::cell::RefCell;

use wasmtime::bail;
use wasmtime::component::__internal::wasmtime_environ::component::StringEncoding;
use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext};
use wasmtime::component::{ComponentType, Lift, WasmStr};

thread_local! {
    /// What this thread's calls add their results to.
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Runs `call`, which calls a guest; its result is added to `output`, as UTF-8.
pub fn onto<T>(output: &mut Vec<u8>, call: impl FnOnce() -> T) -> T {
    OUTPUT.set(std::mem::take(output));
    let returned = call();
    *output = OUTPUT.take();
    returned
}

/// Stands for a string in a guest's memory that was added to the output of [`onto`].
pub struct StringCopy;

impl StringCopy {
    fn copy(text: &str) -> wasmtime::Result<Self> {
        OUTPUT.with_borrow_mut(|output| {
            output.try_reserve(text.len())?;
            output.extend_from_slice(text.as_bytes());
            Ok(Self)
        })
    }
}

#[allow(unsafe_code, reason = "wasmtime's traits for types of the component model are unsafe")]
// SAFETY: what a value looks like in a guest, and which types pass for it, is what wasmtime itself says of strings.
unsafe impl ComponentType for StringCopy {
    type Lower = <str as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <str as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        <str as ComponentType>::typecheck(ty, types)
    }
}

#[allow(unsafe_code, reason = "wasmtime's traits for types of the component model are unsafe")]
// SAFETY: whatever `typecheck` lets pass is lifted, and only through what wasmtime and the standard library check.
unsafe impl Lift for StringCopy {
    fn linear_lift_from_flat(cx: &mut LiftContext<'_>, ty: InterfaceType, src: &Self::Lower) -> wasmtime::Result<Self> {
        // The ABI returns no string so: a pointer and a length are two values, and only one is returned outside of memory.
        Self::copy(&String::linear_lift_from_flat(cx, ty, src)?)
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> wasmtime::Result<Self> {
        if cx.options().string_encoding != StringEncoding::Utf8 {
            return Self::copy(&String::linear_lift_from_memory(cx, ty, bytes)?);
        }
        // Checks that it lies within the memory, and takes its length from what one call may carry out of the guest.
        WasmStr::linear_lift_from_memory(cx, ty, bytes)?;
        let (words, _) = bytes.as_chunks();
        let &[pointer, length] = words else { bail!("a string is not two words") };
        let (pointer, length) = (u32::from_le_bytes(pointer) as usize, u32::from_le_bytes(length) as usize);
        Self::copy(std::str::from_utf8(&cx.memory()[pointer..][..length])?)
    }
}
