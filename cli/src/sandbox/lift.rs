//! Text from the memory of a guest, copied without an allocation per text, and within limits.
//!
//! Wasmtime returns a string as a `String`, one allocation per record, and workers contend for the allocator's lock:
//! two workers processed 1.5 times as many records as one, and 1.8 times as many without the allocation. A `WasmStr`,
//! which borrows, does not help: when a call returns, the guest has already freed its result (`post-return` in the
//! canonical ABI).

#![allow(unsafe_code, reason = "wasmtime's traits for types of the component model are unsafe")]

use std::borrow::Cow;
use std::cell::RefCell;

use wasmtime::component::__internal::wasmtime_environ::component::StringEncoding;
use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext};
use wasmtime::component::{ComponentType, Lift, WasmStr};
use wasmtime::{AsContext, StoreContext, bail, format_err};

use crate::limits::{AUDIT_TEXT_UNITS, ExceededLimit};

/// The output for the results of a thread's calls, and their maximum size.
struct Target {
    bytes: Vec<u8>,
    limit: u64,
}

thread_local! {
    static TARGET: RefCell<Target> = const { RefCell::new(Target { bytes: Vec::new(), limit: 0 }) };
}

/// Runs `call`, which calls a guest; its result, of at most `limit` bytes, is added to `output` as UTF-8.
pub(super) fn onto<T>(output: &mut Vec<u8>, limit: u64, call: impl FnOnce() -> T) -> T {
    TARGET.set(Target { bytes: std::mem::take(output), limit });
    let returned = call();
    *output = TARGET.with_borrow_mut(|target| std::mem::take(&mut target.bytes));
    returned
}

/// Stands for a string in a guest's memory that was added to the output of [`onto`].
pub(super) struct StringCopy;

impl StringCopy {
    fn copy(text: &str) -> wasmtime::Result<Self> {
        TARGET.with_borrow_mut(|target| {
            if text.len() as u64 > target.limit {
                return Err(ExceededLimit::Message(target.limit).into());
            }
            target.bytes.try_reserve(text.len())?;
            target.bytes.extend_from_slice(text.as_bytes());
            Ok(Self)
        })
    }

    /// Fails if a string of `units` code units exceeds the limit in every encoding, before any of it is read.
    fn check(units: usize) -> wasmtime::Result<()> {
        let limit = TARGET.with_borrow(|target| target.limit);
        if units as u64 > limit { Err(ExceededLimit::Message(limit).into()) } else { Ok(()) }
    }
}

// SAFETY: the representation of a value in a guest, and the types that it accepts, are those of wasmtime's strings.
unsafe impl ComponentType for StringCopy {
    type Lower = <str as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <str as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        <str as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: every type that `typecheck` accepts is lifted, and every access to memory is checked.
unsafe impl Lift for StringCopy {
    fn linear_lift_from_flat(_: &mut LiftContext<'_>, _: InterfaceType, _: &Self::Lower) -> wasmtime::Result<Self> {
        // The ABI returns strings in memory: a pointer and a length are two values, and only one can be returned
        // directly.
        bail!("a string was returned outside of memory")
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, _: InterfaceType, bytes: &[u8]) -> wasmtime::Result<Self> {
        let (words, _) = bytes.as_chunks();
        let &[pointer, length] = words else { bail!("a string is not two words") };
        let (pointer, length) = (u32::from_le_bytes(pointer) as usize, u32::from_le_bytes(length) as usize);
        let (units, unit_bytes) = units(cx, length);
        let end = units.checked_mul(unit_bytes).and_then(|bytes| bytes.checked_add(pointer));
        let text = end.and_then(|end| cx.memory().get(pointer..end));
        let text = text.ok_or_else(|| format_err!("string pointer/length out of bounds of memory"))?;
        Self::check(units)?;
        match cx.options().string_encoding {
            StringEncoding::Utf8 => Self::copy(std::str::from_utf8(text)?),
            _ if unit_bytes == 1 => Self::copy(&text.iter().map(|&byte| char::from(byte)).collect::<String>()),
            _ if !pointer.is_multiple_of(2) => bail!("string pointer not aligned to 2"),
            _ => {
                let units = text.as_chunks().0.iter().map(|&unit| u16::from_le_bytes(unit));
                Self::copy(&char::decode_utf16(units).collect::<Result<String, _>>()?)
            }
        }
    }
}

/// The number of a string's units, and their size in bytes, where the canonical ABI gives `length`.
fn units(cx: &LiftContext<'_>, length: usize) -> (usize, usize) {
    /// Set in the length of a string in the encoding `latin1+utf16` that is UTF-16.
    const UTF16_TAG: usize = 1 << 31;
    match cx.options().string_encoding {
        StringEncoding::Utf8 => (length, 1),
        StringEncoding::Utf16 => (length, 2),
        StringEncoding::CompactUtf16 if length & UTF16_TAG == 0 => (length, 1),
        StringEncoding::CompactUtf16 => (length ^ UTF16_TAG, 2),
    }
}

/// A text for the audit log, in the guest's memory, unless it is so long that no limit on audit events allows it.
pub(super) struct AuditText(Option<WasmStr>);

impl AuditText {
    /// Reads the text, unless it is too long.
    pub(super) fn read<'a>(&self, store: &'a impl AsContext<Data: 'static>) -> wasmtime::Result<Option<Cow<'a, str>>> {
        let store: StoreContext<'a, _> = store.as_context();
        self.0.as_ref().map(|text| text.to_str(store)).transpose()
    }
}

// SAFETY: as for `StringCopy`.
unsafe impl ComponentType for AuditText {
    type Lower = <str as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <str as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        <str as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: every type that `typecheck` accepts is lifted, by wasmtime itself.
unsafe impl Lift for AuditText {
    fn linear_lift_from_flat(cx: &mut LiftContext<'_>, ty: InterfaceType, src: &Self::Lower) -> wasmtime::Result<Self> {
        let (units, _) = units(cx, src[1].get_u32() as usize);
        // A unit is at least one byte of UTF-8.
        if units > AUDIT_TEXT_UNITS {
            return Ok(Self(None));
        }
        WasmStr::linear_lift_from_flat(cx, ty, src).map(|text| Self(Some(text)))
    }

    fn linear_lift_from_memory(cx: &mut LiftContext<'_>, ty: InterfaceType, bytes: &[u8]) -> wasmtime::Result<Self> {
        // Four parameters of functions are never in memory.
        WasmStr::linear_lift_from_memory(cx, ty, bytes).map(|text| Self(Some(text)))
    }
}
