//! The slots of built-in types and of custom reducers: `["Tag",…]`.

use std::borrow::Cow;

use super::{Node, Reader};
use crate::{
    BigInt, Date, Error, JsString, ParseBigIntError, RegExp, Result, Temporal, Url,
    UrlSearchParams,
    reference::Reference,
    slot::{MapEntries, Slot},
    text::{number, string::RawString},
    token::{Scalar, Token, Tokens},
    types::{
        buffer::read_base64,
        temporal::TemporalKind,
        typed_array::{ViewKind, ViewRange},
    },
};

/// A built-in type or a custom one, read as far as it stands in its own slot.
pub(super) enum Tagged<'de> {
    BigInt(BigInt),
    Boxed(Reference),
    Date(Date),
    RegExp(RegExp),
    Url(Url),
    UrlSearchParams(UrlSearchParams),
    NullObject(Tokens<'de>),
    Map(MapEntries<'de>),
    Set(Tokens<'de>),
    ArrayBuffer,
    View { kind: ViewKind, buffer: Reference, range: Option<ViewRange> },
    Temporal(Temporal),
    Custom(Cow<'de, str>, Reference),
}

impl<'r, 'de> Node<'r, 'de> {
    /// What a tag and its arguments say. Further arguments are ignored, as in JavaScript.
    pub(super) fn tagged(&self, tag: Cow<'de, str>, args: Tokens<'de>) -> Result<Tagged<'de>> {
        let mut args = Args { node: self, tokens: args };
        if self.reader.options.custom_tags.contains(&&*tag) {
            let payload = args.reference()?;
            return Ok(Tagged::Custom(tag, payload));
        }
        Ok(match &*tag {
            "Date" => Tagged::Date(args.date()?),
            "Map" => Tagged::Map(MapEntries(args.tokens)),
            "Set" => Tagged::Set(args.tokens),
            "BigInt" => Tagged::BigInt(read_bigint(&mut args.tokens)?),
            "RegExp" => Tagged::RegExp(args.regexp()?),
            "URL" => Tagged::Url(args.url()?),
            "URLSearchParams" => Tagged::UrlSearchParams(args.url_search_params()?),
            "Object" => Tagged::Boxed(args.primitive()?),
            "null" => Tagged::NullObject(args.tokens),
            "ArrayBuffer" => {
                // Its bytes are only read when asked for.
                args.string()?;
                Tagged::ArrayBuffer
            }
            name => {
                if let Some(kind) = ViewKind::from_name(name) {
                    args.view(kind)?
                } else if let Some(kind) = TemporalKind::from_name(name) {
                    let (token, text) = args.string_token()?;
                    let temporal = Temporal::new(kind, text.to_str()?)
                        .map_err(|error| args.invalid(error.to_string(), token))?;
                    Tagged::Temporal(temporal)
                } else if self.reader.options.any_tag {
                    let payload = args.reference()?;
                    return Ok(Tagged::Custom(tag, payload));
                } else {
                    let name: String = name.chars().take(64).collect();
                    return Err(Error::data(format!(
                        "unknown type {name}: Options::custom_tags reads the types of custom reducers"
                    )));
                }
            }
        })
    }
}

/// The arguments of a tag.
struct Args<'n, 'r, 'de> {
    node: &'n Node<'r, 'de>,
    tokens: Tokens<'de>,
}

impl<'de> Args<'_, '_, 'de> {
    fn invalid(&self, message: String, token: Token<'de>) -> Error {
        Error::data(message).at_offset(token.offset)
    }

    fn next(&mut self) -> Result<Option<Token<'de>>> {
        self.tokens.next().transpose()
    }

    fn required(&mut self) -> Result<Token<'de>> {
        self.next()?.ok_or_else(|| self.tokens.missing("the tag has no argument"))
    }

    fn reference(&mut self) -> Result<Reference> {
        match self.tokens.next_reference() {
            Some(reference) => reference,
            None => Err(self.tokens.missing("the tag has no argument")),
        }
    }

    fn string_token(&mut self) -> Result<(Token<'de>, RawString<'de>)> {
        let token = self.required()?;
        match token.scalar {
            Scalar::String(string) => Ok((token, string)),
            _ => Err(self.tokens.invalid("the tag's argument must be a string", token)),
        }
    }

    fn string(&mut self) -> Result<RawString<'de>> {
        self.string_token().map(|(_, string)| string)
    }

    /// `new Date(argument)`, as far as `JSON.parse` can make an argument.
    fn date(&mut self) -> Result<Date> {
        let Some(token) = self.next()? else { return Ok(Date::INVALID) };
        Ok(match token.scalar {
            Scalar::String(text) => Date::parse(&text.to_str_lossy()),
            Scalar::Number(text) => Date::from_millis(number::parse(text)),
            Scalar::Bool(bool) => Date::from_millis(bool.into()),
            Scalar::Null => Date::from_millis(0.0),
        })
    }

    fn regexp(&mut self) -> Result<RegExp> {
        let source = self.next()?.map(text).unwrap_or_default();
        let (flags, token) = match self.next()? {
            None => (Cow::Borrowed(""), None),
            Some(token) => match token.scalar {
                Scalar::String(flags) => (flags.to_str()?, Some(token)),
                _ => return Err(self.tokens.invalid("flags must be a string", token)),
            },
        };
        RegExp::new(source, &flags).map_err(|error| match token {
            Some(token) => self.invalid(error.to_string(), token),
            None => Error::data(error.to_string()),
        })
    }

    /// `["URL","href"]`, or Astro's `["URL",N]` where slot N is the text.
    fn url(&mut self) -> Result<Url> {
        let mut by_number = self.tokens.clone();
        let token = self.required()?;
        let text = match token.scalar {
            Scalar::String(text) => text,
            Scalar::Number(_) => {
                let at = match by_number.next_reference() {
                    Some(at) => at?,
                    None => return Err(self.tokens.missing("a URL has a text")),
                };
                match at.slot().map(|slot| self.node.reader.slot(slot)).transpose()? {
                    Some(Slot::String(text)) => text,
                    // DIFFERENCE: Astro's reviver makes text of anything. Nothing writes it.
                    _ => return Err(self.tokens.invalid("a URL's text must be a string", token)),
                }
            }
            _ => return Err(self.tokens.invalid("a URL's text must be a string", token)),
        };
        Url::parse(&text.to_str_lossy()).map_err(|error| self.invalid(error.to_string(), token))
    }

    /// `new URLSearchParams(argument)`.
    fn url_search_params(&mut self) -> Result<UrlSearchParams> {
        Ok(match self.next()? {
            None | Some(Token { scalar: Scalar::Null, .. }) => UrlSearchParams::default(),
            Some(token) => UrlSearchParams::new(&text(token).to_string_lossy()),
        })
    }

    /// What a box may hold: a primitive other than null and undefined.
    fn primitive(&mut self) -> Result<Reference> {
        let at = self.reference()?;
        let fits = match at.slot() {
            None => at.number().is_some(),
            Some(slot) => match self.node.reader.slot(slot)? {
                Slot::Bool(_) | Slot::Number(_) | Slot::String(_) => true,
                Slot::Tagged { tag, .. } => tag == "BigInt",
                _ => false,
            },
        };
        let message = "only primitives other than null and undefined can be boxed";
        if fits { Ok(at) } else { Err(Error::data(message)) }
    }

    /// A view, checked to lie within its buffer and to be aligned.
    fn view(&mut self, kind: ViewKind) -> Result<Tagged<'de>> {
        let buffer = self.reference()?;
        let available = self.node.reader.buffer_length(buffer)?;
        let offset = self.view_number()?.unwrap_or(0);
        let length = self.view_number()?;
        let size = kind.element_size();
        let rest = available
            .checked_sub(offset)
            .filter(|_| offset % size == 0)
            .ok_or_else(|| Error::data(format!("no {} begins at byte {offset}", kind.name())))?;
        let length = match length {
            Some(length) => length,
            None if rest % size == 0 => rest / size,
            None => {
                let name = kind.name();
                let message = format!("the bytes of a {name} must be a multiple of {size}");
                return Err(Error::data(message));
            }
        };
        let bytes = length
            .checked_mul(size)
            .filter(|&bytes| bytes <= rest)
            .ok_or_else(|| Error::data(format!("the {} is longer than its buffer", kind.name())))?;
        let range = (bytes != available).then_some(ViewRange { offset, length });
        Ok(Tagged::View { kind, buffer, range })
    }

    /// An offset or a length as `ToIndex` makes it: fractions are cut off, null and false are 0.
    fn view_number(&mut self) -> Result<Option<usize>> {
        let Some(token) = self.next()? else { return Ok(None) };
        let number = match token.scalar {
            Scalar::Number(text) => number::parse(text).trunc(),
            Scalar::Bool(bool) => bool.into(),
            Scalar::Null => 0.0,
            // DIFFERENCE: JavaScript takes a string for the number it holds, or for 0. Nothing writes it.
            Scalar::String(_) => f64::NAN,
        };
        if (0.0..=9_007_199_254_740_991.0).contains(&number) {
            Ok(Some(number as usize))
        } else {
            Err(self.tokens.invalid("expected an offset or a length", token))
        }
    }
}

/// `String(argument)`.
fn text(argument: Token<'_>) -> JsString {
    match argument.scalar {
        Scalar::String(text) => text.unescape().into(),
        Scalar::Number(text) => number::to_string(number::parse(text)).into(),
        Scalar::Bool(bool) => bool.to_string().into(),
        Scalar::Null => "null".into(),
    }
}

/// `BigInt(argument)`.
pub(super) fn read_bigint(args: &mut Tokens<'_>) -> Result<BigInt> {
    let Some(token) = args.next().transpose()? else {
        return Err(args.missing("the tag has no argument"));
    };
    match token.scalar {
        Scalar::String(text) => text.to_str()?.parse().map_err(|error| match error {
            ParseBigIntError::TooLong => Error::limit(error.to_string()).at_offset(token.offset),
            error => args.invalid(error.to_string(), token),
        }),
        Scalar::Bool(bool) => Ok(u8::from(bool).into()),
        Scalar::Number(text) => {
            let number = number::parse(text);
            if number.fract() == 0.0 {
                // All its digits, and no sign of -0.
                Ok(BigInt::from_canonical(format!("{:.0}", number + 0.0)))
            } else {
                Err(args.invalid("not an integer", token))
            }
        }
        Scalar::Null => Err(args.invalid("not an integer", token)),
    }
}

impl<'de> Reader<'_, 'de> {
    /// The base64 text of an `ArrayBuffer`.
    fn buffer_text(&self, buffer: Reference) -> Result<Cow<'de, str>> {
        let slot = buffer.slot().map(|slot| self.slot(slot)).transpose()?;
        if let Some(Slot::Tagged { tag, mut args }) = slot
            && tag == "ArrayBuffer"
            && let Some(token) = args.next().transpose()?
            && let Scalar::String(text) = token.scalar
        {
            return Ok(text.to_str_lossy());
        }
        Err(Error::data("a typed array needs an ArrayBuffer"))
    }

    pub(super) fn buffer_bytes(&self, buffer: Reference) -> Result<Vec<u8>> {
        Ok(read_base64(&self.buffer_text(buffer)?))
    }

    fn buffer_length(&self, buffer: Reference) -> Result<usize> {
        let slot = buffer.slot().unwrap_or_default();
        if let Some(&length) = self.buffers.borrow().get(&slot) {
            return Ok(length);
        }
        let length = self.buffer_bytes(buffer)?.len();
        self.buffers.borrow_mut().insert(slot, length);
        Ok(length)
    }
}
