//! What a splice makes of its pieces.

use super::*;
use crate::Index;

/// Every entry of the Map in `text`, copied.
fn copied(text: &str) -> Result<String> {
    let index = Index::new(text.as_bytes())?;
    let flat = Flat::new(text.as_bytes(), &index);
    let mut splice = Splice::map();
    let source = splice.source(flat);
    for entry in flat.map(flat.root()?)? {
        let (key, value) = entry?;
        splice.copy(&flat.string(key)?, source, value)?;
    }
    Ok(String::from_utf8(splice.finish()?).unwrap())
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(copied(text).unwrap(), expected);
}

#[track_caller]
fn check_unchanged(text: &str) {
    check(text, text);
}

#[test]
fn slots_are_numbered_in_javascripts_order() {
    check(
        r#"[["Map",6,5,4,2],"unused",{"x":3,"y":3},[4,-2,-1,-6],"a",[2,4,5],"b"]"#,
        r#"[["Map",1,2,5,3],"b",[3,5,2],{"x":4,"y":4},[5,-2,-1,-6],"a"]"#,
    );
}

#[test]
fn primitives_are_shared_by_value_and_containers_by_identity() {
    check(
        r#"[["Map",1,2,3,4],"a",[5,6,7,8,9],"b",[10,6,11,8,12],1,[],1.0,["BigInt","1"],["Date",""],"a",[],["BigInt","1"]]"#,
        r#"[["Map",1,2,7,8],"a",[3,4,3,5,6],1,[],["BigInt","1"],["Date",""],"b",[1,4,9,5,5],[]]"#,
    );
}

#[test]
fn primitives_are_shared_among_sources() {
    let texts = [
        r#"[[1,2,3],"a",1,["BigInt","1"]]"#,
        r#"[[1,2,3,4,5,6],"b",1,"a",["BigInt","1"],{"a":3},"c"]"#,
        r#"["c"]"#,
        r#"["d"]"#,
        r#"["d"]"#,
    ];
    let indices = texts.map(|text| Index::new(text.as_bytes()).unwrap());
    let mut splice = Splice::map();
    for (key, (text, index)) in ["a", "b", "d", "e", "f"].iter().zip(texts.iter().zip(&indices)) {
        let source = splice.source(Flat::new(text.as_bytes(), index));
        let number = Piece::Number(1.0);
        splice
            .object(key, &[("data", Piece::Copy(source, Reference::ROOT)), ("n", number)])
            .unwrap();
    }
    assert_eq!(
        String::from_utf8(splice.finish().unwrap()).unwrap(),
        r#"[["Map",1,2,6,7,11,12,13,14,15,16],"a",{"data":3,"n":4},[1,4,5],1,["BigInt","1"],"b",{"data":8,"n":4},[6,4,1,5,9,10],{"a":1},"c","d",{"data":10,"n":4},"e",{"data":11,"n":4},"f",{"data":11,"n":4}]"#,
    );
}

#[test]
fn references_that_grow_or_shrink_are_written_anew() {
    let list = |first: usize| {
        (0..110).map(|item| (first + item).to_string()).collect::<Vec<_>>().join(",")
    };
    let items = (0..110).map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(",");
    let long = format!(r#"[["Map",1,2,3,4],"a","b","c",[{}],{items}]"#, list(5));
    let index = Index::new(long.as_bytes()).unwrap();
    let flat = Flat::new(long.as_bytes(), &index);
    let slot = |slot| Reference::to_slot(slot).unwrap();
    let mut splice = Splice::map();
    let source = splice.source(flat);
    splice.keep(source, slot(3), slot(4)).unwrap();
    let short = format!(r#"[["Map",1,2],"c",[{}],{items}]"#, list(3));
    assert_eq!(String::from_utf8(splice.finish().unwrap()).unwrap(), short);

    let index = Index::new(short.as_bytes()).unwrap();
    let mut splice = Splice::map();
    let source = splice.source(Flat::new(short.as_bytes(), &index));
    splice.copy("a", source, Reference::UNDEFINED).unwrap();
    splice.copy("b", source, Reference::UNDEFINED).unwrap();
    splice.keep(source, slot(1), slot(2)).unwrap();
    let long = format!(r#"[["Map",1,-1,2,-1,3,4],"a","b","c",[{}],{items}]"#, list(5));
    assert_eq!(String::from_utf8(splice.finish().unwrap()).unwrap(), long);
}

#[test]
fn every_kind_of_slot_is_copied() {
    check_unchanged(
        r#"[["Map",1,2],"key",[3,4,5,6,8,11,12,15,17],["Date","1970-01-01T00:00:00.000Z"],["RegExp","a","gi"],["BigInt","12"],["URL",7],"https://e.com/",["Set",9,10],1,true,["URLSearchParams","a=1"],{"x":13,"y":14},null,"y",["null","x",16,"y",9],"\u003Cb>",["Object",18],"boxed"]"#,
    );
    check_unchanged(
        r#"[["Map",1,2],"key",[3,5,6,7,8,9],["Uint8Array",4,1,2],["ArrayBuffer","AQID"],["DataView",4],["Temporal.PlainDate","2026-11-23"],[-7,1000,3,1,999,-1],["Custom",1],["Map",1,-3]]"#,
    );
}

#[test]
fn cycles_are_copied() {
    check_unchanged(r#"[["Map",1,2],"self",{"me":2,"map":3},["Map",1,3]]"#);
}

#[test]
fn a_reference_to_the_root_copies_the_map_as_a_value() {
    check(r#"[["Map",1,0],"self"]"#, r#"[["Map",1,2],"self",["Map",1,2]]"#);
}

#[test]
fn foreign_forms_become_javascripts() {
    check(
        " [ [ \"Map\" , 1 , 2 ] , \"\\u006b\" , [ 3 , 4 , 5 , 6, 7.0, 8 ] , 1.50 , \"a\\/<\" , -0 , 1e400,1E2,{\"\\u0061\" : 1}] ",
        r#"[["Map",1,2],"k",[3,4,-6,-4,5,6],1.5,"a/\u003C",100,{"a":1}]"#,
    );
    check(
        r#"[["Map",1,2,3,4,5,6],"a",["URL","https://e.com/"],"b",["Map",-6,1],"c",["Set",-6]]"#,
        r#"[["Map",1,2,4,5,7,8],"a",["URL",3],"https://e.com/","b",["Map",6,1],0,"c",["Set",6]]"#,
    );
    check(
        r#"[["Map",1,2],"a",["Map",3,3,4,4],-0.0,["Set",3]]"#,
        r#"[["Map",1,2],"a",["Map",3,-6,4,4],0,["Set",3]]"#,
    );
    check(
        r#"[["Map",1,2],"a",["RegExp",1e400,1.50]]"#,
        r#"[["Map",1,2],"a",["RegExp",1e400,1.5]]"#,
    );
}

#[test]
fn what_javascript_writes_is_taken_as_it_is() {
    let text = r#"[["Map",1,2],"\u003Ca\"\\\n€",[3,4,5,6,7],1e-7,12345678901234567000,"\u2028\ud800",-0.5,1e+21]"#;
    check_unchanged(text);
    // Nothing of it was written anew.
    let index = Index::new(text.as_bytes()).unwrap();
    let mut splice = Splice::map();
    let source = splice.source(Flat::new(text.as_bytes(), &index));
    let slot = |slot| Reference::to_slot(slot).unwrap();
    splice.keep(source, slot(1), slot(2)).unwrap();
    assert!(canonical::walk(&splice, &mut Buffers::take()).is_some());
}

#[test]
fn what_javascript_would_write_otherwise_is_written_anew() {
    for (other, canonical) in [
        (r#""<""#, r#""\u003C""#),
        (r#""\/""#, r#""/""#),
        (r#""\u000a""#, r#""\n""#),
        ("\"\u{2028}\"", r#""\u2028""#),
        ("1.50", "1.5"),
        ("0.0000001", "1e-7"),
        ("12345678901234567890", "12345678901234567000"),
    ] {
        check(
            &format!(r#"[["Map",1,2],"key",{other}]"#),
            &format!(r#"[["Map",1,2],"key",{canonical}]"#),
        );
    }
    check(r#"[["Map",1,2],"key",[3,4],1e400,-0]"#, r#"[["Map",1,2],"key",[-4,-6]]"#);
}

#[test]
fn deep_values_take_no_stack() {
    let depth = 100_000;
    let mut text = String::from(r#"[["Map",1,2],"deep""#);
    for slot in 3..depth {
        text.push_str(&format!(",[{slot}]"));
    }
    text.push_str(",[]]");
    check_unchanged(&text);
}

#[test]
fn what_javascript_refuses_to_read_is_not_copied() {
    for slot in [
        r#"{"__proto__":1}"#,
        r#"["null","__proto__",1]"#,
        r#"["null",1,1]"#,
        r#"["null","a"]"#,
        r#"["Map",1]"#,
        r#"["Set","a"]"#,
        "[7]",
        "{\"a\":-2}",
        "01",
    ] {
        let error = copied(&format!(r#"[["Map",1,2],"key",{slot}]"#)).unwrap_err();
        assert_eq!(error.slot(), Some(2), "{slot}: {error}");
    }
}

#[test]
fn objects_are_built_in_place() {
    let text = br#"["a"]"#;
    let index = Index::new(text).unwrap();
    let mut splice = Splice::map();
    let source = splice.source(Flat::new(text, &index));
    let data = Piece::Copy(source, Reference::ROOT);
    splice.object("a", &[("data", data), ("expires", Piece::Number(-0.0))]).unwrap();
    splice
        .object("b", &[("data", Piece::Copy(source, Reference::NAN)), ("b", Piece::Number(0.5))])
        .unwrap();
    assert!(splice.object("c", &[("__proto__", data)]).is_err());
    assert!(splice.copy("c", Source(1), Reference::ROOT).is_err());
    assert!(splice.copy("c", source, Reference::HOLE).is_err());
    assert!(splice.copy("c", source, Reference::to_slot(1).unwrap()).is_err());
    assert_eq!(
        String::from_utf8(splice.finish().unwrap()).unwrap(),
        r#"[["Map",1,2,3,4],"a",{"data":1,"expires":-6},"b",{"data":-3,"b":5},0.5]"#,
    );
}
