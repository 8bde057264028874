use std::collections::HashSet;

use super::*;

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn it_is_small() {
    assert_eq!(size_of::<Quantity>(), 16);
    assert_eq!(size_of::<Option<Quantity>>(), 16);
}

#[test]
fn texts_are_kept_or_made_canonical_as_kubernetes_does() {
    for (text, want) in [
        ("0", "0"),
        ("0m", "0"),
        ("-0", "0"),
        ("+1", "+1"),
        ("007", "007"),
        ("5.", "5."),
        ("1e3", "1e3"),
        ("1E3", "1E3"),
        ("1e-3", "1e-3"),
        ("1000", "1k"),
        ("1000m", "1"),
        ("1.0", "1"),
        ("1.5", "1500m"),
        (".5", "500m"),
        ("1.2e3", "1200"),
        ("1e20", "100e18"),
        ("1e400", "10e399"),
        ("1024Ki", "1Mi"),
        ("8Ki", "8Ki"),
        ("1.5Gi", "1536Mi"),
        ("0.0001", "100u"),
        ("0.5Ki", "512"),
        ("0.1Ki", "102400m"),
        ("0.1n", "1n"),
        ("-0.1n", "-1n"),
        ("8Ei", "9223372036854775807"),
        ("10E", "10E"),
    ] {
        assert_eq!(quantity(text).to_string(), want, "{text}");
    }
}

#[test]
fn what_is_not_a_quantity_is_refused() {
    for text in [
        "",
        "1K",
        "gi",
        "1Zi",
        "1 ",
        "1_0",
        "0x1",
        "1,5",
        "--1",
        "1e",
        "1e1e1",
        "e-20",
        "1e4097",
        "1e99999999999999999999",
    ] {
        assert!(text.parse::<Quantity>().is_err(), "{text:?}");
    }
    assert_eq!("1e9999999".parse::<Quantity>(), Err(QuantityError::Exponent));
    assert_eq!("1".repeat(9000).parse::<Quantity>(), Err(QuantityError::TooLong));
}

#[test]
fn equal_numbers_are_equal_however_they_are_held() {
    let forms = ["1", "1000m", "1.0", "+1", "1e0", "1000000000n", "1.000000000000000000000"].map(quantity);
    for form in &forms {
        assert_eq!(form, &forms[0]);
    }
    assert_eq!(forms.into_iter().collect::<HashSet<_>>().len(), 1);
    let zeros = ["0", "0Ki", "0e-99", "-0.0000000000"].map(quantity);
    assert_eq!(zeros.into_iter().collect::<HashSet<_>>().len(), 1);
    assert!(quantity("1e4096") > quantity("9223372036854775807"));
    assert!(quantity("-1e4096") < quantity("-9223372036854775807"));
    assert!(quantity("1e30") < quantity("1e31"));
    assert!(quantity("-1") < quantity("1n"));
}

#[test]
fn arithmetic_is_exact_beyond_64_bits() {
    let large = quantity("9223372036854775807");
    let sum = &large + &large;
    assert_eq!(sum.to_string(), "18446744073709551614");
    assert_eq!(sum.value_saturating(), i64::MAX);
    assert_eq!(&sum - &large, large);
    assert_eq!((-&Quantity::from_units(i64::MIN)).to_string(), "9223372036854775808");
    assert_eq!([quantity("100m"), quantity("1.9")].iter().sum::<Quantity>().to_string(), "2");
    assert_eq!(quantity("-1500m").value_saturating(), -2);
    assert_eq!(quantity("-0.0000000001").value_saturating(), -1);
    assert_eq!(quantity("-2Pi").value_saturating(), -(2 << 50));
    assert_eq!(quantity("1E").milli_saturating(), i64::MAX);
    assert_eq!(quantity("1.5Gi").to_f64(), 1_610_612_736.0);
}

#[test]
fn json_has_strings_and_takes_numbers() {
    for (json, want) in [
        ("\"1Gi\"", "1Gi"),
        ("\" 2 \"", "2"),
        ("1", "1"),
        ("1.5", "1500m"),
        ("-3", "-3"),
        ("1000", "1k"),
        ("1e30", "1e30"),
        ("18446744073709551615", "18446744073709551615"),
        ("null", "0"),
    ] {
        let read: Quantity = serde_json::from_str(json).unwrap();
        assert_eq!(read.to_string(), want, "{json}");
    }
    assert_eq!(serde_json::to_string(&quantity("1E3")).unwrap(), "\"1E3\"");
    assert!(serde_json::from_str::<Quantity>("\"x\"").is_err());
    assert!(serde_json::from_str::<Quantity>("true").is_err());
}
