//! An error on the way through `wasm_encoder::reencode`. (It takes the errors of the standard library's trait alone.)

use std::fmt::{self, Display};
use wasm_encoder::reencode;

#[derive(Debug)]
pub struct Failure(String);

pub type Outcome<T> = Result<T, reencode::Error<Failure>>;

impl Failure {
    /// The error whose text is `reason`, with the reasons of that.
    pub fn new(reason: impl Display) -> reencode::Error<Self> {
        reencode::Error::UserError(Self(format!("{reason:#}")))
    }
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}
