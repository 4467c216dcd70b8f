//! `cipher man`, which writes the manual pages during an installation.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Arg, ArgAction, Args, Command, CommandFactory};
use roff::{Inline, Roff, bold, italic, roman};

use super::{Cli, ENVIRONMENT};
use crate::code::engine;
use crate::exit::{self, Failure, Kind};

/// The files of the program, besides its input and output.
const FILES: &[(&str, &str)] = &[
    ("~/.local/share/cipher/guests", "guests of this user, from 'cipher install'; below $XDG_DATA_HOME if that is set"),
    ("PREFIX/lib/cipher/guests", "guests of all users, for a program in PREFIX/bin"),
    ("~/.cache/cipher", "artifact cache: compiled components; below $XDG_CACHE_HOME if that is set"),
];

/// Options of `cipher man`.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Directory to write them to, such as PREFIX/share/man/man1; created if missing
    directory: PathBuf,
}

impl Man {
    /// Writes `cipher.1`, `cipher-encrypt.1` and so on.
    ///
    /// # Errors
    ///
    /// When a page cannot be written.
    pub(super) fn run(self) -> Result<()> {
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        let written = fs::create_dir_all(&self.directory).and_then(|()| write_pages(&command, &[], &self.directory));
        written.with_context(|| {
            let directory = self.directory.display();
            Failure::new(Kind::Output, format!("cannot write the manual pages to '{directory}'"))
        })
    }
}

/// Writes the page of `command`, which refers to those of its relatives, and the pages below it.
fn write_pages(command: &Command, relatives: &[String], directory: &Path) -> io::Result<()> {
    let below: Vec<&Command> = command.get_subcommands().filter(|below| !below.is_hide_set()).collect();
    let own = page_name(command);
    let mut others: Vec<String> = below.iter().map(|below| page_name(below)).collect();
    let family: Vec<String> = [std::slice::from_ref(&own), &*others].concat();
    others.extend(relatives.iter().filter(|name| **name != own).cloned());
    fs::write(directory.join(format!("{own}.1")), page(command, &others))?;
    below.into_iter().try_for_each(|below| write_pages(below, &family, directory))
}

/// `cipher-cache-add` for `cipher cache add`.
fn page_name(command: &Command) -> String {
    command.get_bin_name().unwrap_or_else(|| command.get_name()).replace(' ', "-")
}

fn page(command: &Command, others: &[String]) -> String {
    let (name, about) = (page_name(command), command.get_about().map(ToString::to_string).unwrap_or_default());
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let paragraphs: Vec<(&str, &str)> =
        after.split("\n\n").map(|text| text.split_once('\n').unwrap_or((text, ""))).collect();
    let mut page = Roff::new();
    page.control("TH", [&*name.to_uppercase(), "1", "\"\"", &format!("cipher {}", engine::VERSION), "User Commands"]);
    page.control("SH", ["NAME"]).text([roman(format!("{name} - {about}"))]);
    page.control("SH", ["SYNOPSIS"]).text(synopsis(command));
    page.control("SH", ["DESCRIPTION"]).text([roman(format!("{about}."))]);
    for (first, rest) in paragraphs.iter().filter(|(first, _)| !is_section(first) && !first.is_empty()) {
        page.control("PP", []);
        literal(&mut page, &format!("{first}\n{rest}"));
    }
    arguments(&mut page, command);
    options(&mut page, command);
    commands(&mut page, command);
    if let Some((_, examples)) = paragraphs.iter().find(|(first, _)| *first == "Examples:") {
        page.control("SH", ["EXAMPLES"]);
        literal(&mut page, examples);
    }
    page.control("SH", ["EXIT STATUS"]);
    for (first, _) in paragraphs.iter().filter(|(first, rest)| first.starts_with("Exit status:") && rest.is_empty()) {
        page.text([roman(first.trim_start_matches("Exit status:").trim())]);
    }
    table(&mut page, exit::TABLE);
    page.control("SH", ["ENVIRONMENT"]);
    table(&mut page, ENVIRONMENT);
    page.control("SH", ["FILES"]);
    table(&mut page, FILES);
    page.control("SH", ["SEE ALSO"]).text(see_also(others));
    page.render()
}

/// Whether a paragraph after the help has a section of its own.
fn is_section(first: &str) -> bool {
    ["Examples:", "Exit status:", "Environment:"].iter().any(|heading| first.starts_with(heading))
}

/// `cipher encrypt [--set NAME=VALUE]... ALGORITHM [TEXT]`
fn synopsis(command: &Command) -> Vec<Inline> {
    let mut line = vec![bold(command.get_bin_name().unwrap_or_else(|| command.get_name()))];
    for option in shown_options(command) {
        line.push(roman(" ["));
        line.extend(flags(option).into_iter().take(1));
        line.extend(value(option));
        line.push(roman(if matches!(option.get_action(), ArgAction::Append) { "]..." } else { "]" }));
    }
    for argument in command.get_positionals() {
        let (open, close) = if argument.is_required_set() { ("", "") } else { ("[", "]") };
        let many = argument.get_num_args().is_some_and(|range| range.max_values() > 1);
        line.extend([roman(format!(" {open}")), italic(value_name(argument))]);
        line.push(roman(format!("{close}{}", if many { "..." } else { "" })));
    }
    if command.has_subcommands() {
        let name = if command.is_subcommand_required_set() { "COMMAND" } else { "[COMMAND]" };
        line.extend([roman(" "), italic(name)]);
    }
    line
}

fn shown_options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_opts().chain(command.get_arguments().filter(|arg| is_flag(arg))).filter(|arg| !arg.is_hide_set())
}

fn is_flag(arg: &Arg) -> bool {
    !arg.is_positional() && !arg.get_action().takes_values()
}

/// The long and the short form of an option.
fn flags(option: &Arg) -> Vec<Inline> {
    let long = option.get_long().map(|long| bold(format!("--{long}")));
    let short = option.get_short().map(|short| bold(format!("-{short}")));
    long.into_iter().chain(short).collect()
}

fn value(option: &Arg) -> Vec<Inline> {
    if is_flag(option) { Vec::new() } else { vec![roman(" "), italic(value_name(option))] }
}

fn value_name(arg: &Arg) -> String {
    arg.get_value_names().and_then(|names| names.first()).map_or_else(|| arg.get_id().to_string(), ToString::to_string)
}

fn arguments(page: &mut Roff, command: &Command) {
    for (number, argument) in command.get_positionals().enumerate() {
        if number == 0 {
            page.control("SH", ["ARGUMENTS"]);
        }
        page.control("TP", []).text([italic(value_name(argument))]);
        help(page, argument);
    }
}

/// The options, those with a heading of their own in a subsection.
fn options(page: &mut Roff, command: &Command) {
    page.control("SH", ["OPTIONS"]);
    let mut headings: Vec<Option<&str>> = vec![None];
    for heading in shown_options(command).map(Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        if let Some(heading) = heading {
            page.control("SS", [heading]);
        }
        for option in shown_options(command).filter(|option| option.get_help_heading() == heading) {
            let mut line = Vec::new();
            for (number, flag) in flags(option).into_iter().rev().enumerate() {
                line.extend((number > 0).then(|| roman(", ")));
                line.push(flag);
            }
            line.extend(value(option));
            page.control("TP", []).text(line);
            help(page, option);
        }
    }
}

fn help(page: &mut Roff, arg: &Arg) {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    for (number, paragraph) in help.split("\n\n").enumerate() {
        if number > 0 {
            page.control("IP", []);
        }
        page.text([roman(paragraph)]);
    }
    if !is_flag(arg) && !arg.is_hide_default_value_set() && !default.is_empty() {
        page.text([roman(format!("[default: {}]", default.join(", ")))]);
    }
    for value in arg.get_possible_values().iter().filter(|value| !is_flag(arg) && value.get_help().is_some()) {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        page.control("IP", []).text([bold(value.get_name()), roman(format!(": {help}"))]);
    }
}

fn commands(page: &mut Roff, command: &Command) {
    let below: Vec<&Command> = command.get_subcommands().filter(|below| !below.is_hide_set()).collect();
    if !below.is_empty() {
        page.control("SH", ["COMMANDS"]);
    }
    for command in below {
        page.control("TP", []).text([bold(format!("{}(1)", page_name(command)))]);
        page.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default())]);
    }
}

/// A list of terms, each with its explanation.
fn table(page: &mut Roff, rows: &[(&str, &str)]) {
    for (term, explanation) in rows {
        page.control("TP", []).text([bold(*term)]).text([roman(*explanation)]);
    }
}

/// Text whose lines stay as they are.
fn literal(page: &mut Roff, text: &str) {
    page.control("nf", []);
    for line in text.trim_end().lines() {
        page.text([roman(line)]);
    }
    page.control("fi", []);
}

fn see_also(others: &[String]) -> Vec<Inline> {
    let mut line = Vec::new();
    for (number, name) in others.iter().enumerate() {
        line.extend((number > 0).then(|| roman(", ")));
        line.extend([bold(name), roman("(1)")]);
    }
    line
}
