//! A sparse array of few bytes and four billion holes once filled the memory, where a hole fits the item type.

use serde_devalue::from_str;

#[test]
fn the_holes_of_a_sparse_array_are_bounded_by_the_text() {
    let text = "[[-7,4294967295]]";
    assert!(from_str::<Vec<Option<f64>>>(text).unwrap_err().is_limit());
    assert!(from_str::<Vec<()>>(text).unwrap_err().is_limit());

    let holes = from_str::<Vec<Option<f64>>>("[[-7,1000,999,1],7]").unwrap();
    assert_eq!(holes.len(), 1000);
    assert_eq!(holes[999], Some(7.0));
}
