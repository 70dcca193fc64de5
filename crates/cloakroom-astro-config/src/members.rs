//! What is found inside of values: members, properties, and chains of them.

use std::ops::ControlFlow;

use oxc::ast::ast::{
    Expression, MemberExpression, ObjectExpression, ObjectProperty, ObjectPropertyKind,
    PropertyKey, PropertyKind,
};
use oxc::span::GetSpan as _;
use serde_devalue::javascript;

use crate::error::Result;
use crate::evaluate::Evaluator;
use crate::value::{Entry, Object, Place, Value};

/// A value, or that of a whole chain that ended at a `?.`.
pub(crate) type Link<'a> = ControlFlow<Value<'a>, Value<'a>>;

impl<'a> Evaluator<'a> {
    /// A link of a chain of members and calls; anything else begins one.
    pub(crate) fn link(
        &mut self,
        module: usize,
        expression: &'a Expression<'a>,
    ) -> Result<Link<'a>> {
        if let Some(member) = expression.as_member_expression() {
            return self.member_link(module, member);
        }
        match expression {
            Expression::CallExpression(call) => self.call(module, call),
            Expression::TSNonNullExpression(inner) => self.link(module, &inner.expression),
            other => self.evaluate(module, other).map(ControlFlow::Continue),
        }
    }

    pub(crate) fn member_link(
        &mut self,
        module: usize,
        member: &'a MemberExpression<'a>,
    ) -> Result<Link<'a>> {
        let object = match self.nested_link(module, member.object())? {
            ControlFlow::Continue(object) => object,
            ended => return Ok(ended),
        };
        if member.optional() && object.is_nullish() {
            return Ok(ControlFlow::Break(object));
        }
        let (key, place) = self.key(module, member)?;
        self.member(&object, &key, place).map(ControlFlow::Continue)
    }

    /// The key of a member expression, and the place of the whole.
    pub(crate) fn key(
        &mut self,
        module: usize,
        member: &'a MemberExpression<'a>,
    ) -> Result<(String, Place)> {
        let place = Place { module, span: member.span() };
        match member {
            MemberExpression::StaticMemberExpression(member) => {
                Ok((member.property.name.as_str().to_owned(), place))
            }
            MemberExpression::ComputedMemberExpression(member) => {
                Ok((self.text(module, &member.expression)?, place))
            }
            _ => Err(self.unknown(place)),
        }
    }

    /// As [`Evaluator::link`], one deeper.
    pub(crate) fn nested_link(
        &mut self,
        module: usize,
        expression: &'a Expression<'a>,
    ) -> Result<Link<'a>> {
        let place = Place { module, span: expression.span() };
        self.deeper(place, |evaluator| evaluator.link(module, expression))
    }

    /// `value.key`
    pub(crate) fn member(
        &mut self,
        value: &Value<'a>,
        key: &str,
        place: Place,
    ) -> Result<Value<'a>> {
        Ok(match value {
            Value::Object(Object::Variables(loaded)) => {
                let value = self.loaded_variable(loaded, key, place)?;
                value.map_or_else(|| self.missing(key, place), Ok)?
            }
            Value::Object(object) => match self.property(object, key)? {
                Some((value, _)) => value,
                None => self.missing(key, place)?,
            },
            Value::Array(values) if key == "length" => Value::Number(values.len() as f64),
            Value::Array(values) => {
                let index = key.parse::<usize>().ok().filter(|index| index.to_string() == key);
                let index = index.ok_or_else(|| self.unknown(place))?;
                values.get(index).cloned().unwrap_or(Value::UNDEFINED)
            }
            Value::Url(url) => match crate::outside::url_member(url, key) {
                Some(value) => value,
                None => return Err(self.unknown(place)),
            },
            Value::Undefined(Some(unset)) => {
                return Err(self.unset(unset, &format!("its `{key}` is asked for")));
            }
            Value::Undefined(None) | Value::Null => {
                let (snippet, kind) = (self.modules.snippet(place), value.kind());
                let message = format!("`{snippet}` asks {kind} for its `{key}`");
                return Err(self.modules.error(place, &message));
            }
            Value::Outside(outside) => return self.outside_member(outside, key, place),
            Value::Boolean(_) | Value::Number(_) | Value::String(_) | Value::Made { .. } => {
                return Err(self.unknown(place));
            }
        })
    }

    /// What an object does not have itself: nothing, unless all objects have it.
    fn missing(&self, key: &str, place: Place) -> Result<Value<'a>> {
        if is_of_every_object(key) { Err(self.unknown(place)) } else { Ok(Value::UNDEFINED) }
    }

    /// The last property of that name: what stands before it is not looked at.
    pub(crate) fn property(
        &mut self,
        object: &Object<'a>,
        key: &str,
    ) -> Result<Option<(Value<'a>, Place)>> {
        let (module, literal) = match object {
            Object::Namespace(module) => return self.export(*module, key),
            Object::Entries(entries) => {
                let entry = entries.iter().rfind(|entry| entry.key == key);
                return Ok(entry.map(|entry| (entry.value.clone(), entry.place)));
            }
            Object::Variables(loaded) => {
                let value = self.loaded_variable(loaded, key, loaded.place)?;
                // A name that is set nowhere is none.
                let value = value.filter(|value| !matches!(value, Value::Undefined(_)));
                return Ok(value.map(|value| (value, loaded.place)));
            }
            Object::Literal(module, literal) => (*module, *literal),
        };
        for property in literal.properties.iter().rev() {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let value = self.evaluate(module, &spread.argument)?;
                    let place = Place { module, span: spread.span };
                    if let Some(object) = self.spread(value, place)?
                        && let Some(found) = self.property(&object, key)?
                    {
                        return Ok(Some(found));
                    }
                }
                ObjectPropertyKind::ObjectProperty(property) => {
                    let place = Place { module, span: property.span };
                    if is_prototype(property) {
                        return Err(self.unknown(place));
                    }
                    if self.property_key(module, &property.key, property.computed)? == key {
                        if property.kind != PropertyKind::Init {
                            return Err(self.unknown(place));
                        }
                        return Ok(Some((self.evaluate(module, &property.value)?, place)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// All properties, the last of each name.
    pub(crate) fn entries(&mut self, object: &Object<'a>, place: Place) -> Result<Vec<Entry<'a>>> {
        let keys = match object {
            Object::Namespace(_) | Object::Variables(_) => return Err(self.unknown(place)),
            Object::Entries(entries) => return Ok(entries.to_vec()),
            Object::Literal(module, literal) => self.keys(*module, literal)?,
        };
        let mut entries: Vec<Entry<'a>> = Vec::new();
        for key in keys {
            if !entries.iter().any(|entry| entry.key == key)
                && let Some((value, place)) = self.property(object, &key)?
            {
                entries.push(Entry { key, value, place });
            }
        }
        Ok(entries)
    }

    fn keys(&mut self, module: usize, literal: &'a ObjectExpression<'a>) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        for property in &literal.properties {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let place = Place { module, span: spread.span };
                    let value = self.evaluate(module, &spread.argument)?;
                    if let Some(object) = self.spread(value, place)? {
                        let entries = self.entries(&object, place)?;
                        keys.extend(entries.into_iter().map(|entry| entry.key));
                    }
                }
                ObjectPropertyKind::ObjectProperty(property) => {
                    if is_prototype(property) {
                        return Err(self.unknown(Place { module, span: property.span }));
                    }
                    keys.push(self.property_key(module, &property.key, property.computed)?);
                }
            }
        }
        Ok(keys)
    }

    /// What `...value` adds to an object; nothing where it is `false` or undefined.
    fn spread(&self, value: Value<'a>, place: Place) -> Result<Option<Object<'a>>> {
        match value {
            Value::Object(object) => Ok(Some(object)),
            Value::Undefined(_) | Value::Null | Value::Boolean(_) | Value::Number(_) => Ok(None),
            _ => Err(self.unknown(place)),
        }
    }

    fn property_key(
        &mut self,
        module: usize,
        key: &'a PropertyKey<'a>,
        computed: bool,
    ) -> Result<String> {
        match (computed, key, key.as_expression()) {
            (true, _, Some(expression)) => self.text(module, expression),
            (_, PropertyKey::NumericLiteral(number), _) => Ok(javascript::text(number.value)),
            _ => key
                .static_name()
                .map(|name| name.into_owned())
                .ok_or_else(|| self.unknown(Place { module, span: key.span() })),
        }
    }
}

/// `__proto__: …`, which is no property but what all others are looked for in.
fn is_prototype(property: &ObjectProperty<'_>) -> bool {
    !property.computed
        && !property.shorthand
        && !property.method
        && property.key.static_name().is_some_and(|name| name == "__proto__")
}

/// Whether an object without a property of this name has one from `Object.prototype`.
pub(crate) fn is_of_every_object(name: &str) -> bool {
    matches!(
        name,
        "__proto__"
            | "__defineGetter__"
            | "__defineSetter__"
            | "__lookupGetter__"
            | "__lookupSetter__"
            | "constructor"
            | "hasOwnProperty"
            | "isPrototypeOf"
            | "propertyIsEnumerable"
            | "toLocaleString"
            | "toString"
            | "valueOf"
    )
}

pub(crate) fn ended(link: Link<'_>) -> Value<'_> {
    match link {
        // A chain that ended early is undefined, whatever it ended at.
        ControlFlow::Break(Value::Null) => Value::UNDEFINED,
        ControlFlow::Break(value) | ControlFlow::Continue(value) => value,
    }
}
