//! Which objects of a tree are shared.

use super::Value;

/// Wraps the objects of these numbers in [`Value::Shared`], and makes the references name their ids.
///
/// Objects are numbered in the order of the tree; until now the references name those numbers. Ids are given in the
/// same order, without gaps.
pub(crate) fn mark(value: &mut Value, mut shared: Vec<u32>) {
    shared.sort_unstable();
    shared.dedup();
    Marker { shared, objects: 0 }.visit(value);
}

struct Marker {
    shared: Vec<u32>,
    /// How many objects were passed.
    objects: u32,
}

impl Marker {
    fn id(&self, object: u32) -> Option<u32> {
        self.shared.binary_search(&object).ok().map(|id| id as u32)
    }

    fn visit(&mut self, value: &mut Value) {
        match value {
            Value::Undefined
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::BigInt(_)
            | Value::String(_) => return,
            Value::Reference(object) => {
                *object = self.id(*object).unwrap_or(*object);
                return;
            }
            _ => {}
        }
        let id = self.id(self.objects);
        self.objects += 1;
        self.visit_content(value);
        if let Some(id) = id {
            *value = Value::Shared(id, Box::new(std::mem::take(value)));
        }
    }

    fn visit_content(&mut self, value: &mut Value) {
        match value {
            Value::Object(object) | Value::NullObject(object) => {
                object.values_mut().for_each(|value| self.visit(value));
            }
            Value::Array(items) | Value::Set(items) => {
                items.iter_mut().for_each(|item| self.visit(item));
            }
            Value::SparseArray(array) => {
                array.entries.iter_mut().for_each(|(_, item)| self.visit(item));
            }
            Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                self.visit(key);
                self.visit(value);
            }),
            Value::Boxed(inner) => self.visit(inner),
            Value::TypedArray(array) => self.visit(&mut array.buffer),
            Value::Custom(custom) => self.visit(&mut custom.value),
            _ => {}
        }
    }
}
