//! An invoice as a page to print: one file that needs nothing else.

use std::fmt::{self, Write};

use domain::invoice::Invoice;
use domain::money::Minor;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:46rem;margin:3rem auto;padding:0 1rem}\
    h1{font-size:1.6rem;margin:0 0 1.5rem}dl{display:grid;grid-template-columns:8rem 1fr;gap:.25rem 1rem;margin:0 0 2rem}\
    dt{color:#666}dd{margin:0;overflow-wrap:anywhere}table{border-collapse:collapse;width:100%}\
    th,td{padding:.4rem .5rem;border-bottom:1px solid #ddd;text-align:right;font-variant-numeric:tabular-nums}\
    th:first-child,td:first-child{text-align:left;overflow-wrap:anywhere}tfoot td{border-bottom:0;font-weight:600}\
    @media print{body{margin:0;max-width:none}tr{break-inside:avoid}}";

/// The page. Whatever sellers and buyers wrote is text in it.
pub(super) fn render(invoice: &Invoice) -> String {
    let mut page = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut page, invoice);
    page
}

fn write(page: &mut String, invoice: &Invoice) -> fmt::Result {
    let Invoice { number, currency, .. } = invoice;
    let show = |amount: Minor| currency.show(amount);
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Invoice {number} of {seller}</title>\n<style>{STYLE}</style>\n<h1>Invoice {number}</h1>\n<dl>\
         <dt>Seller<dd>{seller}<dt>Buyer<dd>{buyer}<dt>Issued<dd>{issued}<dt>Deal<dd>{name}<br><small>{deal}</small>\
         <dt>Invoice id<dd><small>{id}</small></dl>\n",
        seller = Text(invoice.seller.as_str()),
        buyer = Text(invoice.buyer.as_str()),
        // The day alone, in UTC: the first part of RFC 3339.
        issued = invoice.issued_at.to_string().split('T').next().unwrap_or_default(),
        name = Text(&invoice.deal_name),
        deal = Text(&invoice.deal),
        id = Text(&invoice.id),
    )?;
    write!(page, "<table>\n<thead><tr><th>Item<th>Price<th>Discount<th>Amount in {currency}</thead>\n<tbody>\n")?;
    for line in &invoice.lines {
        let (price, amount) = (show(line.price), show(line.amount));
        let discount = if line.discount == Minor::ZERO { String::new() } else { format!("−{}", show(line.discount)) };
        writeln!(page, "<tr><td>{}<td>{price}<td>{discount}<td>{amount}", Text(&line.name))?;
    }
    write!(
        page,
        "</tbody>\n<tfoot><tr><td>Total<td><td><td>{currency} {}</tfoot>\n</table>\n</html>\n",
        show(invoice.total)
    )
}

/// Text inside an HTML page.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::invoice::Line;
    use domain::money::Currency;
    use domain::{Owner, Timestamp};

    use super::*;

    #[test]
    fn a_page_shows_every_line_and_runs_nothing_that_a_seller_wrote() {
        let minor = |units| Minor::new(units).expect("an amount");
        let line = |name: &str, price, discount| Line {
            item_id: None,
            name: name.to_owned(),
            price: minor(price),
            discount: minor(discount),
            amount: minor(price - discount),
        };
        let page = render(&Invoice {
            id: "0198c0de-0000-7000-8000-000000000001".to_owned(),
            seller: Owner::parse("acme").expect("a name"),
            buyer: Owner::parse("bob").expect("a name"),
            deal: "0198c0de-0000-7000-8000-000000000002".to_owned(),
            number: 7,
            deal_name: "<script>alert(1)</script> & \"co\"".to_owned(),
            bid_id: None,
            currency: Currency::parse("GBP").expect("a currency"),
            lines: vec![line("</td><img src=x onerror='alert(1)'>", 10_001, 1_000), line("Table", 5_000, 0)],
            total: minor(14_001),
            issued_at: Timestamp(1_795_000_000_000_000),
        });
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("http"), "{page}");
        insta::assert_snapshot!(page);
    }
}
