//! Who calls which action, and where a browser goes afterwards.

use cloakroom_session::adapter::SitePath;
use http::Uri;
use percent_encoding::percent_decode_str;

/// A call of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which: `cart.add` is `add` of the group `cart`.
    pub name: String,
    /// By whom.
    pub caller: Caller,
}

/// Who calls an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Astro's client or another program, `POST /_actions/cart.add`: it gets the outcome.
    Client,
    /// A page's form without a script, `POST /cart?_action=cart.add`: the browser gets a page.
    Form,
}

const FOLDER: &str = "_actions";
const PARAMETER: &str = "_action";

impl Call {
    /// The call that this request is, if it is one. `base` is the path below which the site lies.
    pub fn find(method: &str, base: &SitePath, path: &str, query: Option<&str>) -> Option<Call> {
        if method != "POST" {
            return None;
        }
        let below = base.below(path).and_then(|path| SitePath::new(FOLDER).below(path));
        if let Some(name) = below.and_then(|name| name.strip_prefix('/')) {
            let name = name.strip_suffix('/').unwrap_or(name);
            return Some(Call { name: decoded(name), caller: Caller::Client });
        }
        let mut parameters = form_urlencoded::parse(query?.as_bytes());
        let (_, name) = parameters.find(|(name, _)| name == PARAMETER)?;
        // Without a name no action is called, as in Astro: the request is the page's own.
        if name.is_empty() {
            return None;
        }
        // Astro's helper encodes it twice: as a name, and as a parameter.
        Some(Call { name: decoded(&name), caller: Caller::Form })
    }
}

/// What is no text is the name of no action.
fn decoded(name: &str) -> String {
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

/// Where a form that failed leads: back to the page that it stands on, if `is_own` says of its host that it is the
/// site's. Only its path counts, so that no request can send a browser elsewhere.
pub(crate) fn back(referer: &str, is_own: impl Fn(&str) -> bool) -> Option<String> {
    let page: Uri = referer.parse().ok()?;
    let host = page.authority()?;
    is_own(host.as_str()).then(|| destination(page.path(), page.query()))
}

/// Where a form leads: to the address it was sent to, or that it stands on, without the parameter.
pub(crate) fn destination(path: &str, query: Option<&str>) -> String {
    // A browser takes `//name` and `/\name` for another site.
    let mut address = format!("/{}", path.trim_start_matches(['/', '\\']));
    let is_kept = |pair: &&str| {
        form_urlencoded::parse(pair.as_bytes()).next().is_none_or(|(name, _)| name != PARAMETER)
    };
    let kept: Vec<&str> = query.unwrap_or_default().split('&').filter(is_kept).collect();
    if !kept.is_empty() && kept != [""] {
        address.push('?');
        address.push_str(&kept.join("&"));
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, query: Option<&str>) -> Option<(String, Caller)> {
        let call = Call::find("POST", &SitePath::default(), path, query)?;
        Some((call.name, call.caller))
    }

    #[test]
    fn a_call_is_a_post_to_the_folder_or_with_the_parameter() {
        let name = str::to_owned;
        assert_eq!(found("/_actions/cart.add", None), Some((name("cart.add"), Caller::Client)));
        assert_eq!(found("/_actions/cart.add/", None), Some((name("cart.add"), Caller::Client)));
        assert_eq!(found("/_actions/gr%C3%BC%C3%9Fe", None), Some((name("grüße"), Caller::Client)));
        assert_eq!(found("/_actions/", None), Some((name(""), Caller::Client)));
        let form = found("/cart", Some("page=2&_action=cart.add"));
        assert_eq!(form, Some((name("cart.add"), Caller::Form)));
        assert_eq!(found("/cart", Some("page=2")), None);
        assert_eq!(found("/cart", None), None);
        assert_eq!(Call::find("GET", &SitePath::default(), "/_actions/cart.add", None), None);
    }

    #[test]
    fn a_parameter_without_a_name_leaves_a_pages_own_post_alone() {
        for query in ["_action", "_action=", "a=1&_action=", "_action=&_action=cart.add"] {
            assert_eq!(found("/cart", Some(query)), None, "{query}");
        }
    }

    #[test]
    fn a_site_may_lie_below_a_path() {
        let found = |base, path| Call::find("POST", &SitePath::new(base), path, None).is_some();
        assert!(found("/shop", "/shop/_actions/a") && found("/shop/", "/shop/_actions/a"));
        assert!(!found("/shop", "/_actions/a") && !found("", "/shop/_actions/a"));
        assert!(!found("/shop", "/shop_actions/a") && !found("/shop", "/shops/_actions/a"));
    }

    #[test]
    fn a_base_is_found_however_a_person_has_written_it() {
        let found = |base, path| Call::find("POST", &SitePath::new(base), path, None).is_some();
        for base in ["shop", "/shop", "shop/", "//shop//"] {
            assert!(found(base, "/shop/_actions/a"), "{base}");
        }
        for base in ["/café/der Anna", "café/der%20Anna", "/caf%C3%A9/der Anna/"] {
            assert!(found(base, "/caf%C3%A9/der%20Anna/_actions/a"), "{base}");
        }
    }

    #[test]
    fn a_form_leads_to_its_address_without_the_parameter() {
        assert_eq!(destination("/cart", Some("_action=cart.add")), "/cart");
        assert_eq!(destination("/cart", Some("a=1&_action=x&b=%20")), "/cart?a=1&b=%20");
        assert_eq!(destination("//evil.example/", Some("_action=x")), "/evil.example/");
        assert_eq!(destination("/\\evil.example", None), "/evil.example");
    }

    #[test]
    fn a_form_that_failed_leads_back_to_where_it_stands() {
        let back = |referer| back(referer, |host| host == "shop.example");
        let page = |path: &str| Some(path.to_owned());
        assert_eq!(back("https://shop.example/login?next=%2F&_action=x"), page("/login?next=%2F"));
        assert_eq!(back("https://shop.example//evil.example"), page("/evil.example"));
        for other in ["https://evil.example/", "https://shop.example@evil.example/", "/a", "", "…"]
        {
            assert_eq!(back(other), None, "{other}");
        }
    }
}
