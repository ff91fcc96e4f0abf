//! Sections of shared memory that describe themselves.
//!
//! [`section!`] writes a `#[repr(C)]` struct from fields with declared offsets, proves at compile time
//! that the compiler agrees with every offset, and keeps names, offsets, sizes and comments as data:
//! the layout hash and `src/core/generated/layout.ts` come from there. [`constants!`] and
//! [`enumeration!`] do the same for numbers.

/// Width of a field's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 32-bit unsigned: `Int32Array` in JavaScript.
    U32,
    /// 64-bit unsigned: `BigUint64Array` in JavaScript.
    U64,
}

impl Kind {
    /// Bytes of one element.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::U32 => 4,
            Self::U64 => 8,
        }
    }
}

/// One field of a section.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name in Rust.
    pub name: &'static str,
    /// Its doc comment, one line a line.
    pub doc: &'static str,
    /// Byte offset from the start of the section.
    pub offset: usize,
    /// Width of an element.
    pub kind: Kind,
    /// Number of elements; 1 for a plain word.
    pub count: usize,
}

/// One section: a struct that lies somewhere in the shared memory, once or repeatedly.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Name of the Rust struct.
    pub name: &'static str,
    /// Its doc comment, one line a line.
    pub doc: &'static str,
    /// Bytes.
    pub size: usize,
    /// Every field, ascending and without gaps.
    pub fields: &'static [Field],
}

/// One number that both sides must agree on.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// Name, in Rust and in TypeScript.
    pub name: &'static str,
    /// Its doc comment, one line a line.
    pub doc: &'static str,
    /// Its value.
    pub value: usize,
}

/// A set of numbers with names: an `enum` in Rust, a frozen object in TypeScript.
#[derive(Clone, Copy, Debug)]
pub struct Enumeration {
    /// Name of the Rust enum.
    pub name: &'static str,
    /// Its doc comment, one line a line.
    pub doc: &'static str,
    /// Every variant; the values ascend from the first by one.
    pub variants: &'static [Constant],
}

const FNV_OFFSET: u32 = 0x811C_9DC5;
const FNV_PRIME: u32 = 0x0100_0193;

const fn hash_bytes(mut hash: u32, bytes: &[u8]) -> u32 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(FNV_PRIME);
        i += 1;
    }
    hash
}

const fn hash_number(hash: u32, number: usize) -> u32 {
    hash_bytes(hash, &(number as u64).to_le_bytes())
}

const fn hash_constants(mut hash: u32, constants: &[Constant]) -> u32 {
    let mut i = 0;
    while i < constants.len() {
        hash = hash_number(hash_bytes(hash, constants[i].name.as_bytes()), constants[i].value);
        i += 1;
    }
    hash
}

/// FNV-1a, 32 bits, over the names, offsets, widths and counts of everything in `sections`, and the
/// names and numbers of everything in the others. Comments do not count.
#[must_use]
pub const fn layout_hash(
    sections: &[Section],
    enumerations: &[Enumeration],
    constants: &[Constant],
) -> u32 {
    let mut hash = FNV_OFFSET;
    let mut s = 0;
    while s < sections.len() {
        let section = &sections[s];
        hash = hash_number(hash_bytes(hash, section.name.as_bytes()), section.size);
        let mut f = 0;
        while f < section.fields.len() {
            let field = &section.fields[f];
            hash = hash_number(hash_bytes(hash, field.name.as_bytes()), field.offset);
            hash = hash_number(hash_number(hash, field.kind.bytes()), field.count);
            f += 1;
        }
        s += 1;
    }
    let mut e = 0;
    while e < enumerations.len() {
        hash = hash_bytes(hash, enumerations[e].name.as_bytes());
        hash = hash_constants(hash, enumerations[e].variants);
        e += 1;
    }
    hash_constants(hash, constants)
}

/// See the module.
macro_rules! section {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident : $size:literal bytes {
            $(
                $(#[doc = $field_doc:literal])*
                $offset:literal => $field:ident : $kind:ident $([$count:expr])?
            ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[repr(C)]
        pub struct $name<A: $crate::shared::atomics::Atomics = $crate::shared::atomics::Native> {
            $( $(#[doc = $field_doc])* pub $field: section!(@type A $kind $([$count])?) ),*
        }

        impl<A: $crate::shared::atomics::Atomics> $name<A> {
            /// All zero, as fresh shared memory is.
            #[must_use]
            pub fn zeroed() -> Self {
                Self { $( $field: section!(@zero A $kind $([$count])?) ),* }
            }
        }

        impl $name {
            /// What lies where.
            pub const SECTION: $crate::shared::describe::Section =
                $crate::shared::describe::Section {
                    name: stringify!($name),
                    doc: concat!($($doc, "\n"),*),
                    size: $size,
                    fields: &[ $( $crate::shared::describe::Field {
                        name: stringify!($field),
                        doc: concat!($($field_doc, "\n"),*),
                        offset: $offset,
                        kind: $crate::shared::describe::Kind::$kind,
                        count: section!(@count $([$count])?),
                    } ),* ],
                };
        }

        const _: () = {
            let mut end = 0;
            $(
                assert!(std::mem::offset_of!($name, $field) == $offset, "declared offset is wrong");
                assert!(end == $offset, "gap before a field");
                end += $crate::shared::describe::Kind::$kind.bytes()
                    * section!(@count $([$count])?);
            )*
            assert!(end == $size, "declared size is wrong");
            assert!(std::mem::size_of::<$name>() == $size, "padding at the end");
        };
    };
    (@type $a:ident $kind:ident) => { <$a as $crate::shared::atomics::Atomics>::$kind };
    (@type $a:ident $kind:ident [$count:expr]) => {
        [<$a as $crate::shared::atomics::Atomics>::$kind; $count]
    };
    (@zero $a:ident $kind:ident) => { $crate::shared::atomics::Word::new(0) };
    (@zero $a:ident $kind:ident [$count:expr]) => {
        std::array::from_fn(|_| $crate::shared::atomics::Word::new(0))
    };
    (@count) => { 1 };
    (@count [$count:expr]) => { $count };
}
pub(crate) use section;

/// Constants, and a list of them as data.
macro_rules! constants {
    ($(
        $(#[doc = $doc:literal])*
        pub const $name:ident: $type:ty = $value:expr;
    )*) => {
        $( $(#[doc = $doc])* pub const $name: $type = $value; )*

        /// Every constant that both sides must agree on.
        pub const CONSTANTS: &[$crate::shared::describe::Constant] =
            &[ $( $crate::shared::describe::Constant {
                name: stringify!($name),
                doc: concat!($($doc, "\n"),*),
                value: $name as usize,
            } ),* ];
    };
}
pub(crate) use constants;

/// A `#[repr(u32)]` enum that knows its own names and comments.
macro_rules! enumeration {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $( $(#[doc = $variant_doc:literal])* $variant:ident = $value:literal ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum $name { $( $(#[doc = $variant_doc])* $variant = $value ),* }

        impl $name {
            /// Names, numbers and comments.
            pub const ENUMERATION: $crate::shared::describe::Enumeration =
                $crate::shared::describe::Enumeration {
                    name: stringify!($name),
                    doc: concat!($($doc, "\n"),*),
                    variants: &[ $( $crate::shared::describe::Constant {
                        name: stringify!($variant),
                        doc: concat!($($variant_doc, "\n"),*),
                        value: $value,
                    } ),* ],
                };

            /// The variant of that number.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number {
                    $( $value => Some(Self::$variant), )*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use enumeration;
