//! Who ordered: a name, an e-mail address, perhaps a telephone.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::wrong_name;
use crate::{Owner, Refusal};

/// The most bytes of an address (RFC 5321, erratum 1690), and of its local part.
const ADDRESS: usize = 254;
const LOCAL: usize = 64;
/// The most bytes of one label of a domain.
const LABEL: usize = 63;
/// The most characters of a telephone number.
const PHONE: usize = 32;

/// A customer of a shop, as it stands in one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    name: String,
    email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

impl Customer {
    /// A customer whose name, address and number are some.
    ///
    /// # Errors
    /// `NAME_MALFORMED`, `EMAIL_MALFORMED`, `PHONE_MALFORMED`.
    pub fn new(name: String, email: String, phone: Option<String>) -> Result<Self, Refusal> {
        if let Some(why) = wrong_name(&name) {
            return Err(Refusal::at("/customer/name", "NAME_MALFORMED", why));
        }
        if !is_address(&email) {
            let text = "expected an address such as ada@example.org, in ASCII";
            return Err(Refusal::at("/customer/email", "EMAIL_MALFORMED", text));
        }
        if phone.as_ref().is_some_and(|phone| !is_number(phone)) {
            let text = "expected at most 32 digits, blanks and + - ( ) . / with at least one digit";
            return Err(Refusal::at("/customer/phone", "PHONE_MALFORMED", text));
        }
        Ok(Self { name, email, phone })
    }

    /// What the customer is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address, as it was given.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// The telephone number, as it was given.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.phone.as_deref()
    }
}

/// What the orders of a shop's customer are listed by: the shop and the address, in small letters, hashed.
#[must_use]
pub fn customer_key(shop: &Owner, email: &str) -> String {
    // No name of an account has a space in it.
    let name = format!("customer {shop} {}", email.to_ascii_lowercase());
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

/// RFC 5322's `dot-atom` on both sides, the domain of at least two labels. Quoted local parts and addresses in other scripts,
/// which hardly any mail gets through to, are none.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |atom: &str| {
        !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    let label = |label: &str| {
        (1..=LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= ADDRESS
        && local.len() <= LOCAL
        && local.split('.').all(atom)
        && domain.contains('.')
        && domain.split('.').all(label)
}

fn is_number(text: &str) -> bool {
    text.len() <= PHONE
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b" +-()./".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_nonsense() {
        for good in ["ada@example.org", "a.b+c@mail.example.co.uk", "o'neil_1@x-y.io", "A@B.C", "1@1.1"] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("{}@example.org", "a".repeat(65));
        let longer = format!("a@{}org", "example.".repeat(40));
        for bad in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.org",
            "ada@localhost",
            "ada@@example.org",
            "ada@example..org",
            "a b@c.de",
            ".ada@example.org",
            "ada.@example.org",
            "a..b@example.org",
            "ada@-example.org",
            "ada@example-.org",
            "ada@example.org\n",
            "ada@exam ple.org",
            "\u{1f600}@example.org",
            "ada@b\u{fc}cher.de",
            "<ada@example.org>",
            &long,
            &longer,
        ] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }

    #[test]
    fn names_are_text_of_any_script() {
        let named = |name: &str| Customer::new(name.to_owned(), "ada@example.org".to_owned(), None);
        for good in ["Ada", "\u{1f600}", "李四", "O'Neil \"x\" <y>", &"ü".repeat(255)] {
            assert_eq!(named(good).map(|customer| customer.name), Ok(good.to_owned()));
        }
        for bad in ["", "  ", "a\nb", "a\u{0}", "\u{85}", &"x".repeat(256)] {
            assert_eq!(named(bad).unwrap_err().pointer.as_deref(), Some("/customer/name"), "{bad:?}");
        }
        for (phone, good) in [("+44 (0)20 7946-0000", true), ("1", true), ("", false), ("+", false), ("call me", false)]
        {
            let customer = Customer::new("Ada".to_owned(), "ada@example.org".to_owned(), Some(phone.to_owned()));
            assert_eq!(customer.is_ok(), good, "{phone:?}");
        }
    }

    #[test]
    fn a_customer_of_one_shop_is_none_of_another() {
        let shop = |name| Owner::parse(name).unwrap();
        let key = customer_key(&shop("a"), "Ada@Example.org");
        assert_eq!(key, customer_key(&shop("a"), "ada@example.ORG"));
        assert_ne!(key, customer_key(&shop("b"), "ada@example.org"));
        assert_ne!(key, customer_key(&shop("a"), "bob@example.org"));
    }
}
