//! A message that a streaming guest takes in chunks (`wit/streaming.wit`).

use anyhow::Result;
use wasmtime::component::{Component, ComponentExportIndex, Func, ResourceAny};
use wasmtime::format_err;

use crate::audit::lines::EventLines;
use crate::sandbox::contract::Operation;
use crate::sandbox::instance::GuestInstance;
use crate::sandbox::lift::StringCopy;

/// The interface that streaming guests export.
pub(crate) const STREAMING: &str = "saritnike:cipher/streaming@0.1.0";

/// The functions of [`STREAMING`] in a component.
pub(crate) struct StreamingIndices {
    constructor: ComponentExportIndex,
    update: ComponentExportIndex,
    finish: ComponentExportIndex,
}

impl StreamingIndices {
    /// Finds the functions of a streaming guest; `None` if `component` is not one.
    pub(crate) fn new(component: &Component) -> Option<Self> {
        let interface = component.get_export_index(None, STREAMING)?;
        let function = |name| component.get_export_index(Some(&interface), name);
        Some(Self {
            constructor: function("[constructor]message")?,
            update: function("[method]message.update")?,
            finish: function("[static]message.finish")?,
        })
    }
}

/// A message that is being streamed through a guest. The time limit applies to each chunk.
pub struct Message<'a> {
    instance: &'a mut GuestInstance,
    update: Func,
    finish: Func,
    resource: ResourceAny,
}

impl<'a> Message<'a> {
    /// Opens a message in a streaming guest.
    pub(super) fn open(
        instance: &'a mut GuestInstance,
        indices: &StreamingIndices,
        operation: Operation,
    ) -> Result<Self> {
        let (update, finish, resource) = instance.run(|component, store| {
            let mut function = |index| {
                component.get_func(&mut *store, index).ok_or_else(|| format_err!("an export is not a function"))
            };
            let (update, finish) = (function(&indices.update)?, function(&indices.finish)?);
            let constructor = function(&indices.constructor)?.typed::<(Operation,), (ResourceAny,)>(&*store)?;
            let (resource,) = constructor.call(store, (operation,))?;
            Ok((update, finish, resource))
        })?;
        Ok(Self { instance, update, finish, resource })
    }

    /// Passes the next chunk to the guest, and adds the result that is ready, which is UTF-8, to `output`.
    ///
    /// # Errors
    ///
    /// As for [`GuestInstance::call`].
    pub fn update(&mut self, chunk: &str, output: &mut Vec<u8>) -> Result<()> {
        let (update, resource) = (self.update, self.resource);
        self.instance.run_onto(output, |store| {
            update.typed::<(ResourceAny, &str), (StringCopy,)>(&*store)?.call(store, (resource, chunk))
        })
    }

    /// Formats the audit events since the last report into `lines`.
    pub fn report(&mut self, lines: &mut EventLines) {
        self.instance.report(lines);
    }

    /// Ends the message and adds the rest of its result, which is UTF-8, to `output`.
    ///
    /// # Errors
    ///
    /// As for [`GuestInstance::call`].
    pub fn finish(self, output: &mut Vec<u8>) -> Result<()> {
        let (finish, resource) = (self.finish, self.resource);
        self.instance
            .run_onto(output, |store| finish.typed::<(ResourceAny,), (StringCopy,)>(&*store)?.call(store, (resource,)))
    }
}
