//! Versions that say which layer they are of.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use cloakroom_storage::Version;

const NUMBER: u8 = b'n';
const BYTES: u8 = b'b';

/// The version of an item of this layer, out of the layer's own.
pub(super) fn of_layer(layer: usize, version: &Version) -> Version {
    let mut token = BytesMut::new();
    token.put_u64(layer as u64);
    match (version.as_number(), version.as_bytes()) {
        (_, Some(bytes)) => {
            token.put_u8(BYTES);
            token.put_slice(bytes);
        }
        (number, None) => {
            token.put_u8(NUMBER);
            token.put_u64(number.unwrap_or_default());
        }
    }
    token.freeze().into()
}

/// The layer, and its own version; `None` if this was not made here.
pub(super) fn layer_of(version: &Version) -> Option<(usize, Version)> {
    let mut token: Bytes = version.as_bytes()?.clone();
    let layer = usize::try_from(token.try_get_u64().ok()?).ok()?;
    let version = match token.try_get_u8().ok()? {
        BYTES => token.into(),
        _ => token.try_get_u64().ok()?.into(),
    };
    Some((layer, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_gives_back_its_layer_and_what_it_was_there() {
        for version in [Version::from(7), Bytes::from_static(b"etag").into(), Bytes::new().into()] {
            for layer in [0, 3] {
                let made = of_layer(layer, &version);
                assert_eq!(layer_of(&made), Some((layer, version.clone())));
            }
        }
    }

    #[test]
    fn a_version_from_elsewhere_is_none() {
        for version in [Version::from(7), Bytes::new().into(), Bytes::from_static(b"short").into()]
        {
            assert_eq!(layer_of(&version), None);
        }
    }
}
