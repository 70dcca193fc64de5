use jiff::Timestamp;
use maud::{Markup, html};

/// When something was, to the minute.
pub fn moment(time: Timestamp) -> Markup {
    html! { time datetime=(time) { (time.strftime("%-d %B %Y, %H:%M UTC")) } }
}
