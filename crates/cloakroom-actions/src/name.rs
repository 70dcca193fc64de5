//! The names of actions.

use percent_encoding::percent_decode_str;

/// An action's name: `cart.add` is the action `add` of the group `cart`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ActionName(Vec<String>);

impl ActionName {
    /// The name as a program has it.
    pub fn new(name: &str) -> ActionName {
        ActionName(name.split('.').map(str::to_owned).collect())
    }

    /// The name as it stands in an address, where a dot that is part of a name is `%2E`. `None` where it is no text.
    pub(crate) fn from_address(name: &str) -> Option<ActionName> {
        let decoded = name.split('.').map(|part| percent_decode_str(part).decode_utf8());
        let parts = decoded.map(|part| part.map(Into::into)).collect::<Result<Vec<String>, _>>();
        parts.ok().filter(|parts| parts.iter().all(|part| !part.is_empty())).map(ActionName)
    }

    /// As an action of this group.
    pub(crate) fn within(self, group: &ActionName) -> ActionName {
        ActionName([group.0.clone(), self.0].concat())
    }
}

impl std::fmt::Display for ActionName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_part_and_encoded_dots_do_not() {
        let address = |name| ActionName::from_address(name);
        assert_eq!(address("cart.add"), Some(ActionName::new("cart.add")));
        assert_eq!(address("gr%C3%BC%C3%9Fe"), Some(ActionName::new("grüße")));
        assert_ne!(address("cart%2Eadd"), Some(ActionName::new("cart.add")));
        for nothing in ["", ".", "a..b", "a.", "%FF"] {
            assert_eq!(address(nothing), None, "{nothing}");
        }
    }
}
