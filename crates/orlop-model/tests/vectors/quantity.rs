//! Family `quantity`: parse, print, compare, add, subtract, multiply, round.

use orlop_model::Quantity;
use orlop_model::vectors::{Case, Check};
use serde_json::{Map, Value, json};

pub(crate) fn run(case: &Case) -> Result<(), String> {
    let mut check = Check::new();
    match case.op.as_str() {
        "parse" => parse(case, &mut check),
        "pair" => pair(case, &mut check),
        other => check.miss(format!("no operation {other:?}")),
    }
    check.finish()
}

fn parse(case: &Case, check: &mut Check) {
    let quantity = match Quantity::parse(case.text("in")) {
        Err(error) => {
            check.json("ok", &case.value["ok"], &json!(false));
            check.eq("error", case.text("error"), &error.to_string());
            return;
        }
        Ok(quantity) => quantity,
    };
    check.json("ok", &case.value["ok"], &json!(true));
    number(case.value.as_object(), &quantity, check);
    let mut rounded = quantity.clone();
    let exact = rounded.round_up(0);
    let rounded = json!({"exact": exact, "canonical": rounded.to_string()});
    check.json("roundup0", &case.value["roundup0"], &rounded);
    for (scale, want) in case.value["scaled"].as_object().into_iter().flatten() {
        let got = scale.parse().map(|scale| quantity.scaled_value(scale));
        check.eq(&format!("scaled {scale}"), &want.as_i64(), &got.ok());
    }
    check.eq("neg", case.text("neg"), &(-&quantity).to_string());
}

fn pair(case: &Case, check: &mut Check) {
    let [a, b] = ["a", "b"].map(|name| Quantity::parse(case.text(name)));
    let (a, b) = match (a, b) {
        (Ok(a), Ok(b)) => (a, b),
        other => return check.miss(format!("{other:?}")),
    };
    check.json("cmp", &case.value["cmp"], &json!(a.cmp(&b) as i8));
    check.json("equal", &case.value["equal"], &json!(a == b));
    number(case.value["add"].as_object(), &(&a + &b), check);
    number(case.value["sub"].as_object(), &(&a - &b), check);
    let mul = &case.value["mul"];
    let mut product = a.clone();
    let ok = product.multiply(mul["by"].as_i64().unwrap_or_default());
    check.json("mul.ok", &mul["ok"], &json!(ok));
    check.json("mul.canonical", &mul["canonical"], &json!(product.to_string()));
}

/// Everything that is known of one number.
fn number(want: Option<&Map<String, Value>>, got: &Quantity, check: &mut Check) {
    let Some(want) = want else {
        return check.miss("no number in the case");
    };
    let field = |name: &str| want.get(name).cloned().unwrap_or(Value::Null);
    check.json("canonical", &field("canonical"), &json!(got.to_string()));
    check.json("value", &field("value"), &json!(got.value()));
    check.json("milli", &field("milli"), &json!(got.milli_value()));
    check.json("sign", &field("sign"), &json!(got.sign()));
    check.json("format", &field("format"), &json!(got.format().as_str()));
    check.json("is_zero", &field("is_zero"), &json!(got.is_zero()));
    check.json("as_int64", &field("as_int64"), &json!(got.as_i64()));
    // The saturating forms are the mathematical ceiling, which a case has only where it differs.
    if got.sign() >= 0 {
        let ceiling = |marked: Value, real: i64| match marked {
            Value::String(digits) => digits.parse().unwrap_or(i64::MAX),
            _ => real,
        };
        check.eq("value_ceil", &ceiling(field("value_ceil"), got.value()), &got.value_saturating());
        check.eq("milli_ceil", &ceiling(field("milli_ceil"), got.milli_value()), &got.milli_saturating());
    }
}
