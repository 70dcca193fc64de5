//! Paths as Node's `path` module treats them: by their letters alone.

use std::path::{Component, Path, PathBuf};

/// Without `.`, and without `..` where something stands before it.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match normal.components().next_back() {
                Some(Component::Normal(_)) => _ = normal.pop(),
                Some(Component::RootDir) => {}
                _ => normal.push(component),
            },
            _ => normal.push(component),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_resolved_as_far_as_there_are_names_before_them() {
        for (path, expected) in [
            ("/a/./b/../c", "/a/c"),
            ("/../a", "/a"),
            ("../a/..", ".."),
            ("a/b/", "a/b"),
            (".", ""),
        ] {
            assert_eq!(normal(Path::new(path)), Path::new(expected));
        }
    }
}
