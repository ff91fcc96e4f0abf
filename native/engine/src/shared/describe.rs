//! Sections of shared memory that describe themselves.
//!
//! [`section!`] writes a `#[repr(C)]` struct from fields with declared offsets, proves at compile time
//! that the compiler agrees with every offset, and keeps names, offsets, sizes and comments as data:
//! the layout hash and `src/core/generated/layout.ts` come from there.

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

/// FNV-1a, 32 bits, over names, offsets, widths and counts of everything in `sections` and over
/// `constants`. Comments do not count.
#[must_use]
pub const fn layout_hash(sections: &[Section], constants: &[usize]) -> u32 {
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
    let mut c = 0;
    while c < constants.len() {
        hash = hash_number(hash, constants[c]);
        c += 1;
    }
    hash
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
