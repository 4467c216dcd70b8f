//! The two worlds of a guest: the contract's, which every host has, and the one for messages in pieces.

use std::path::Path;

use cipher::audit::format::EventLines;
use cipher::code::artifact;
use cipher::code::engine;
use cipher::guest::Guest;
use cipher::guest::catalog::Catalog;
use cipher::guest::settings;
use cipher::limits::Limits;
use cipher::sandbox::contract::Operation;
use cipher::sandbox::epoch::EpochTicker;
use cipher::sandbox::instance::GuestPre;
use wasmtime::Store;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use self::base::EncoderDecoderService;
use self::base::saritnike::cipher::audit_log;
use crate::reference::{caesar, vigenere};

/// Characters of every length in UTF-8, a mark that combines with the letter before it, and what is no letter.
const TEXT: &str = "aZ é日🎉e\u{301}\r\n\0Müller, Yz";

/// A guest that came with the program; a test is built beside it, so it finds the same ones.
fn guest(name: &str) -> Guest {
    let guest = Catalog::from_environment().find(name.as_ref()).expect("it was built");
    assert!(Path::new(&guest.component).ends_with(format!("target/guests/{name}.wasm")));
    guest
}

fn secrets() -> [(&'static str, String); 2] {
    [("Caesar", caesar(TEXT, "3")), ("Vigenere", vigenere(TEXT, "WASM"))]
}

#[test]
fn a_message_in_three_pieces_is_what_it_is_as_a_whole_wherever_it_is_cut() {
    let clock = EpochTicker::new(engine::loader().unwrap());
    let cuts: Vec<usize> = (0..=TEXT.len()).filter(|&at| TEXT.is_char_boundary(at)).collect();
    for (name, secret) in secrets() {
        let guest = guest(name);
        let linked = GuestPre::load(&guest, &clock, &Limits::default()).unwrap();
        let settings = settings::resolve(&guest, &settings::Overrides::new()).unwrap();
        let mut session = linked.open(&settings, 1, &mut EventLines::default()).unwrap();
        assert_eq!(session.call(Operation::Encrypt, TEXT).unwrap(), secret);
        session.take_entries();
        for (operation, text, result) in
            [(Operation::Encrypt, TEXT, secret.as_str()), (Operation::Decrypt, secret.as_str(), TEXT)]
        {
            for &first in &cuts {
                for &second in cuts.iter().filter(|&&second| second >= first) {
                    let mut message = session.message(operation).unwrap().expect("it takes messages in pieces");
                    let pieces = [&text[..first], &text[first..second], &text[second..]];
                    let mut joined: String = pieces.iter().map(|piece| message.update(piece).unwrap()).collect();
                    joined += &message.finish().unwrap();
                    assert_eq!(joined, result, "{name}, cut at {first} and {second}");
                    let length = format!("Length: {}", TEXT.chars().count());
                    let entries = session.take_entries();
                    let details: Vec<_> = entries.iter().map(|entry| entry.detail).collect();
                    assert_eq!(details, [length.as_str()]);
                }
            }
        }
    }
}

/// The contract alone.
mod base {
    wasmtime::component::bindgen!({ path: "../wit", world: "encoder-decoder-service" });
}

/// A host that has never heard of messages in pieces: all of WASI 0.2, and the contract.
struct Plain {
    wasi: WasiCtx,
    table: ResourceTable,
    entries: Vec<(String, String)>,
}

impl WasiView for Plain {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl audit_log::Host for Plain {
    fn auditrecord(&mut self, action: String, detail: String) {
        self.entries.push((action, detail));
    }
}

#[test]
fn a_host_with_the_contracts_world_alone_runs_the_guests() {
    let engine = engine::loader().unwrap();
    for (name, secret) in secrets() {
        let component = artifact::load(&engine, &guest(name), &Limits::default()).unwrap().component;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        EncoderDecoderService::add_to_linker::<_, HasSelf<Plain>>(&mut linker, |host| host).unwrap();
        let host = Plain { wasi: WasiCtx::builder().build(), table: ResourceTable::new(), entries: Vec::new() };
        let mut store = Store::new(&engine, host);
        store.set_epoch_deadline(1);
        let service = EncoderDecoderService::instantiate(&mut store, &component, &linker).unwrap();
        assert_eq!(service.call_encr(&mut store, TEXT).unwrap(), secret);
        assert_eq!(service.call_decr(&mut store, &secret).unwrap(), TEXT);
        let length = format!("Length: {}", TEXT.chars().count());
        let entry = |action: &str| (action.to_owned(), length.clone());
        assert_eq!(store.data().entries, [entry("encrypt"), entry("decrypt")]);
    }
}
