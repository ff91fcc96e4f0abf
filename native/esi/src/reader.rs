//! Elements with their place: numbers, flags and texts of them, and what is wrong with those.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use crate::error::{EsiError, Place, Warning};
use crate::number::{parse_bytes, parse_flag, parse_integer};

/// A file that is odd everywhere need not be told of everywhere.
const WARNINGS_MAX: usize = 200;
/// Characters of a value that a message shows.
const SHOWN_MAX: usize = 40;
/// A line may be as long as the file: characters are counted once, by blocks of so many bytes.
const BLOCK_BYTES: usize = 4096;

/// What is collected while a document is read.
pub(crate) struct Context<'a> {
    document: &'a Document<'a>,
    /// Where each line begins: positions are asked for by the thousand.
    lines: Vec<usize>,
    /// Characters before each block.
    blocks: Vec<usize>,
    warnings: RefCell<Vec<Warning>>,
    /// Warnings beyond those.
    further: Cell<usize>,
    ignored: RefCell<BTreeMap<String, usize>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(document: &'a Document<'a>) -> Self {
        let text = document.input_text();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        let mut before = 0;
        let blocks = text.as_bytes().chunks(BLOCK_BYTES).map(|block| {
            before += characters(block);
            before
        });
        Self {
            document,
            lines,
            blocks: std::iter::once(0).chain(blocks).collect(),
            warnings: RefCell::default(),
            further: Cell::default(),
            ignored: RefCell::default(),
        }
    }

    pub(crate) fn root(&'a self) -> Element<'a> {
        Element { node: self.document.root_element(), context: self }
    }

    pub(crate) fn into_findings(self) -> (Vec<Warning>, BTreeMap<String, usize>) {
        let mut warnings = self.warnings.into_inner();
        warnings.sort_by_key(|warning| warning.place);
        if let further @ 1.. = self.further.get()
            && let Some(last) = warnings.last().cloned()
        {
            let message = format!("{further} more oddities behind this place are not listed");
            warnings.push(Warning { message, ..last });
        }
        (warnings, self.ignored.into_inner())
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.characters_before(offset) - self.characters_before(start);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place { line: number(line), column: number(before + 1) }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK_BYTES;
        let within = self.document.input_text().as_bytes().get(block * BLOCK_BYTES..offset);
        self.blocks.get(block).copied().unwrap_or(0) + within.map_or(0, characters)
    }
}

/// One element.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    node: Node<'a, 'a>,
    context: &'a Context<'a>,
}

/// One attribute of an element.
#[derive(Clone, Copy)]
pub(crate) struct Attribute<'a> {
    element: Element<'a>,
    name: &'static str,
    value: &'a str,
    offset: usize,
}

impl<'a> Element<'a> {
    pub(crate) fn name(&self) -> &'a str {
        self.node.tag_name().name()
    }

    pub(crate) fn place(&self) -> Place {
        self.context.place(self.node.range().start)
    }

    /// Its text without white space around it; comments in between do not count.
    pub(crate) fn text(&self) -> Cow<'a, str> {
        let mut pieces = self.node.children().filter(|child| child.is_text());
        let first = pieces.next().and_then(|node| node.text()).unwrap_or("");
        match pieces.next() {
            None => Cow::Borrowed(first.trim()),
            Some(second) => {
                let mut all = first.to_owned();
                let rest = std::iter::once(second).chain(pieces);
                rest.filter_map(|node| node.text()).for_each(|text| all.push_str(text));
                Cow::Owned(all.trim().to_owned())
            }
        }
    }

    pub(crate) fn all_children(&self) -> impl Iterator<Item = Self> + use<'a> {
        let context = self.context;
        self.node.children().filter(Node::is_element).map(move |node| Self { node, context })
    }

    pub(crate) fn children(&self, name: &'static str) -> impl Iterator<Item = Self> + use<'a> {
        self.all_children().filter(move |child| child.name() == name)
    }

    pub(crate) fn child(&self, name: &'static str) -> Option<Self> {
        self.children(name).next()
    }

    /// The text of a child, if there is one.
    pub(crate) fn child_text(&self, name: &'static str) -> Option<String> {
        self.child(name).map(|child| child.text().into_owned())
    }

    pub(crate) fn required(&self, name: &'static str) -> Result<Self, EsiError> {
        self.child(name).ok_or_else(|| {
            self.error(format!("has no {name}"), format!("add <{name}>…</{name}> to it"))
        })
    }

    pub(crate) fn attribute(&self, name: &'static str) -> Option<Attribute<'a>> {
        let attribute = self.node.attributes().find(|attribute| attribute.name() == name)?;
        Some(Attribute {
            element: *self,
            name,
            value: attribute.value(),
            offset: attribute.range().start,
        })
    }

    /// A flag that is an attribute; false without it, and where it is no flag.
    pub(crate) fn flag(&self, name: &'static str) -> bool {
        self.attribute(name).is_some_and(|attribute| attribute.flag())
    }

    /// A flag that is a child.
    pub(crate) fn child_flag(&self, name: &'static str) -> Option<bool> {
        let child = self.child(name)?;
        let text = child.text();
        // `<Backup/>` says that there is one.
        if text.is_empty() {
            return Some(true);
        }
        let flag = parse_flag(&text);
        if flag.is_none() {
            child
                .warn(format!("{} is neither true nor false; it is taken for false", shown(&text)));
        }
        flag
    }

    /// Its text as a number that fits; or why it is none, and what to do.
    fn parsed<N: TryFrom<i128> + Limits>(&self) -> Result<N, (String, &'static str)> {
        let text = self.text();
        let Some(number) = parse_integer(&text) else {
            return Err((format!("{} is no number", shown(&text)), NUMBERS));
        };
        N::try_from(number).map_err(|_| {
            let (least, most) = (N::LEAST, N::MOST);
            (
                format!("{} is not in {least} to {most}", shown_bare(&text)),
                "give it a number in that range",
            )
        })
    }

    /// Its text as a number that fits.
    pub(crate) fn number<N: TryFrom<i128> + Limits>(&self) -> Result<N, EsiError> {
        self.parsed().map_err(|(message, hint)| self.error(message, hint.to_owned()))
    }

    /// The number in a child that must be there.
    pub(crate) fn child_number<N: TryFrom<i128> + Limits>(
        &self,
        name: &'static str,
    ) -> Result<N, EsiError> {
        self.required(name)?.number()
    }

    /// The number in a child; what does not fit is warned of and left out.
    pub(crate) fn optional_number<N: TryFrom<i128> + Limits>(
        &self,
        name: &'static str,
    ) -> Option<N> {
        let child = self.child(name)?;
        child.lenient_number()
    }

    /// Its text as a number; what does not fit is warned of and left out.
    pub(crate) fn lenient_number<N: TryFrom<i128> + Limits>(&self) -> Option<N> {
        if self.text().is_empty() {
            return None;
        }
        match self.parsed() {
            Ok(number) => Some(number),
            Err((message, _)) => {
                self.warn(format!("{message}; it is left out"));
                None
            }
        }
    }

    /// The bytes in a child; what is none is warned of and left out.
    pub(crate) fn child_bytes(&self, name: &'static str) -> Option<Vec<u8>> {
        self.child(name)?.lenient_bytes()
    }

    pub(crate) fn lenient_bytes(&self) -> Option<Vec<u8>> {
        let text = self.text();
        let bytes = parse_bytes(&text);
        if bytes.is_none() {
            self.warn(format!(
                "{} is no row of bytes in hexadecimal digits; it is left out",
                shown(&text)
            ));
        }
        bytes
    }

    /// Counts children that nobody reads.
    pub(crate) fn ignores_all_but(&self, known: &[&str]) {
        for child in self.all_children().filter(|child| !known.contains(&child.name())) {
            let key = format!("{}/{}", self.name(), child.name());
            *self.context.ignored.borrow_mut().entry(key).or_default() += 1;
        }
    }

    pub(crate) fn error(&self, message: String, hint: String) -> EsiError {
        EsiError { place: self.place(), path: self.path(), message, hint }
    }

    pub(crate) fn warn(&self, message: impl Into<String>) {
        self.warn_at(self.node.range().start, message.into());
    }

    fn warn_at(&self, offset: usize, message: String) {
        let context = self.context;
        let mut warnings = context.warnings.borrow_mut();
        if warnings.len() < WARNINGS_MAX {
            warnings.push(Warning { place: context.place(offset), path: self.path(), message });
        } else {
            context.further.set(context.further.get() + 1);
        }
    }

    /// Names from the root; those that have brothers of their name with a number from 1.
    fn path(&self) -> String {
        let mut names: Vec<String> = self
            .node
            .ancestors()
            .filter(Node::is_element)
            .map(|node| {
                let name = node.tag_name().name();
                let brother =
                    |one: &Node<'_, '_>| one.is_element() && one.tag_name().name() == name;
                let before = node.prev_siblings().skip(1).filter(brother).count();
                if before > 0 || node.next_siblings().skip(1).any(|one| brother(&one)) {
                    format!("{name}[{}]", before + 1)
                } else {
                    name.to_owned()
                }
            })
            .collect();
        names.reverse();
        names.join("/")
    }
}

impl Attribute<'_> {
    pub(crate) fn text(&self) -> &str {
        self.value.trim()
    }

    /// Its value with the white space around it.
    pub(crate) fn raw(&self) -> &str {
        self.value
    }

    /// Its value as a number; what does not fit is warned of and left out.
    pub(crate) fn number<N: TryFrom<i128> + Limits>(&self) -> Option<N> {
        let number = parse_integer(self.value).and_then(|number| N::try_from(number).ok());
        if number.is_none() && !self.text().is_empty() {
            let (least, most) = (N::LEAST, N::MOST);
            self.warn(format!("is no number from {least} to {most}; it is left out"));
        }
        number
    }

    /// Its value as a number that must be one.
    pub(crate) fn strict_number<N: TryFrom<i128> + Limits>(&self) -> Result<N, EsiError> {
        let number = parse_integer(self.value).and_then(|number| N::try_from(number).ok());
        number.ok_or_else(|| EsiError {
            place: self.element.context.place(self.offset),
            path: format!("{}@{}", self.element.path(), self.name),
            message: format!("{} is no number from {} to {}", shown(self.value), N::LEAST, N::MOST),
            hint: NUMBERS.to_owned(),
        })
    }

    pub(crate) fn flag(&self) -> bool {
        parse_flag(self.value).unwrap_or_else(|| {
            self.warn("is neither true nor false; it is taken for false".to_owned());
            false
        })
    }

    fn warn(&self, message: String) {
        let message = format!("{}={} {message}", self.name, shown(self.value));
        self.element.warn_at(self.offset, message);
    }
}

const NUMBERS: &str = "write it in decimal digits, or in hexadecimal ones after #x";

/// Characters of UTF-8 that begin in these bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

/// The range of a type of numbers, for messages.
pub(crate) trait Limits {
    const LEAST: i128;
    const MOST: i128;
}

macro_rules! limits {
    ($($number:ty),*) => {$(
        impl Limits for $number {
            const LEAST: i128 = <$number>::MIN as i128;
            const MOST: i128 = <$number>::MAX as i128;
        }
    )*};
}

limits!(u8, u16, u32, i16, i32, i64, u64);

fn shown(text: &str) -> String {
    format!("{:?}", shown_bare(text))
}

fn shown_bare(text: &str) -> String {
    let mut characters = text.chars();
    let head: String = characters.by_ref().take(SHOWN_MAX).collect();
    let more = if characters.next().is_some() { "…" } else { "" };
    format!("{head}{more}")
}
