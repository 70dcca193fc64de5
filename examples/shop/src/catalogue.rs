//! What the shop sells.

use crate::assets::Asset;

/// One thing to buy.
#[derive(Debug)]
pub struct Product {
    /// Its name in addresses and in the cart.
    pub slug: &'static str,
    /// Its name on the page.
    pub name: &'static str,
    /// The department, as in [`INTERESTS`].
    pub department: &'static str,
    /// In euro cents.
    pub price: u32,
    /// One line, for the grid.
    pub summary: &'static str,
    /// A paragraph, for the product's page.
    pub text: &'static str,
    /// Facts, one a line.
    pub details: &'static [&'static str],
    /// What it comes in; `None` where one size fits all.
    pub sizes: Option<&'static Sizes>,
    /// Drawn for this shop.
    pub picture: Asset,
    /// What the picture shows, for those who do not see it.
    pub alt: &'static str,
}

/// A row of sizes that several products share.
#[derive(Debug)]
pub struct Sizes {
    /// The key in the `settings:sizes` map.
    pub name: &'static str,
    /// What the form calls it.
    pub label: &'static str,
    /// From small to large.
    pub all: &'static [f64],
}

/// European coat sizes.
pub static COAT: Sizes =
    Sizes { name: "coat", label: "Coat size", all: &[44.0, 46.0, 48.0, 50.0, 52.0, 54.0] };
/// The head's girth in centimetres.
pub static HAT: Sizes =
    Sizes { name: "hat", label: "Hat size", all: &[55.0, 56.0, 57.0, 58.0, 59.0, 60.0] };
/// The hand's girth in inches.
pub static GLOVES: Sizes =
    Sizes { name: "gloves", label: "Glove size", all: &[7.0, 7.5, 8.0, 8.5, 9.0, 9.5] };
/// European shoe sizes.
pub static BOOTS: Sizes = Sizes {
    name: "boots",
    label: "Boot size",
    all: &[37.0, 38.0, 39.0, 40.0, 41.0, 42.0, 43.0, 44.0],
};

/// Every row of sizes, in the order of the settings form.
pub static SIZES: [&Sizes; 4] = [&COAT, &HAT, &GLOVES, &BOOTS];

/// The departments that a visitor can be interested in.
pub static INTERESTS: [&str; 6] = ["coats", "hats", "scarves", "gloves", "umbrellas", "boots"];

/// Everything on offer, in the order of the front page.
pub static CATALOGUE: [Product; 8] = [
    Product {
        slug: "loden-coat",
        name: "Loden coat",
        department: "coats",
        price: 28900,
        summary: "Fulled wool that shrugs off a long drizzle.",
        text: "Woven loosely, then fulled until wind and drizzle give up. A centre-front of horn buttons, deep \
               pockets that take a paperback, and a lining that slides over a jumper.",
        details: &[
            "100% virgin wool, viscose lining",
            "Horn buttons",
            "Brush when dry; hang it up",
        ],
        sizes: Some(&COAT),
        picture: Asset::svg("loden-coat.svg", include_bytes!("../pictures/loden-coat.svg")),
        alt: "A green loden coat on a hanger",
    },
    Product {
        slug: "harbour-raincoat",
        name: "Harbour raincoat",
        department: "coats",
        price: 14900,
        summary: "Taped seams, a proper hood, and toggles for cold fingers.",
        text: "For quays and bus stops. The hood stays up in a headwind, the toggles close with gloves on, and \
               the yellow is visible from the other side of the harbour.",
        details: &[
            "Recycled polyester, taped seams",
            "Two-way drawcord hood",
            "Packs into its own pocket",
        ],
        sizes: Some(&COAT),
        picture: Asset::svg(
            "harbour-raincoat.svg",
            include_bytes!("../pictures/harbour-raincoat.svg"),
        ),
        alt: "A yellow hooded raincoat on a hanger",
    },
    Product {
        slug: "lambswool-scarf",
        name: "Lambswool scarf",
        department: "scarves",
        price: 4500,
        summary: "Two metres of red, and three stripes so you know which is yours.",
        text: "Long enough to go round twice and still tuck in. Woven in small runs and washed until soft.",
        details: &["100% lambswool", "30 × 200 cm with fringes", "Wash by hand, dry flat"],
        sizes: None,
        picture: Asset::svg(
            "lambswool-scarf.svg",
            include_bytes!("../pictures/lambswool-scarf.svg"),
        ),
        alt: "A red lambswool scarf with cream and navy stripes over a peg",
    },
    Product {
        slug: "felt-hat",
        name: "Felt hat",
        department: "hats",
        price: 7900,
        summary: "Wool felt, a grosgrain band, a feather you may remove.",
        text: "Blocked by steam on a wooden form and finished by hand. It keeps its shape in a crowded hall and \
               forgives being sat on once.",
        details: &["Wool felt", "Brim 6.5 cm, crown 11 cm", "Steam it back into shape"],
        sizes: Some(&HAT),
        picture: Asset::svg("felt-hat.svg", include_bytes!("../pictures/felt-hat.svg")),
        alt: "A slate-blue felt hat with a dark band and a feather on a peg",
    },
    Product {
        slug: "walking-umbrella",
        name: "Walking umbrella",
        department: "umbrellas",
        price: 6500,
        summary: "A steel shaft, eight ribs, a crook of bent chestnut.",
        text: "Heavy enough to lean on and light enough to forget on a train, which is why there is room for a \
               name under the collar.",
        details: &["Steel shaft, fibreglass ribs", "Chestnut crook", "Opens to 104 cm"],
        sizes: None,
        picture: Asset::svg(
            "walking-umbrella.svg",
            include_bytes!("../pictures/walking-umbrella.svg"),
        ),
        alt: "A furled blue umbrella hanging by its wooden crook",
    },
    Product {
        slug: "leather-gloves",
        name: "Leather gloves",
        department: "gloves",
        price: 5900,
        summary: "Hair-sheep leather over a thin layer of cashmere.",
        text: "Cut a little narrow, because leather gives. After a week they are yours and fit nobody else.",
        details: &[
            "Hair-sheep leather, cashmere lining",
            "Sewn with three points on the back",
            "Do not dry on a heater",
        ],
        sizes: Some(&GLOVES),
        picture: Asset::svg("leather-gloves.svg", include_bytes!("../pictures/leather-gloves.svg")),
        alt: "A pair of brown leather gloves clipped to a peg",
    },
    Product {
        slug: "garden-boots",
        name: "Garden boots",
        department: "boots",
        price: 8900,
        summary: "Natural rubber, half height, easy to step out of at the door.",
        text: "Made of natural rubber over cotton jersey, with a ledge on the heel so that one foot can free the \
               other.",
        details: &["Natural rubber, cotton lining", "Shaft 26 cm", "Rinse with water"],
        sizes: Some(&BOOTS),
        picture: Asset::svg("garden-boots.svg", include_bytes!("../pictures/garden-boots.svg")),
        alt: "A pair of green rubber boots below a row of pegs",
    },
    Product {
        slug: "beech-hanger",
        name: "Beech hanger",
        department: "coats",
        price: 950,
        summary: "Broad shoulders for heavy coats, with a paper tag for a name.",
        text: "Turned from one piece of steamed beech, 45 mm at the shoulder, so that a wet coat dries in its own \
               shape. Comes with a tag and a length of string.",
        details: &["Steamed beech, waxed", "44 cm wide", "Steel hook that turns"],
        sizes: None,
        picture: Asset::svg("beech-hanger.svg", include_bytes!("../pictures/beech-hanger.svg")),
        alt: "A beech coat hanger with a paper tag on a peg",
    },
];

/// The product with this slug.
pub fn find(slug: &str) -> Option<&'static Product> {
    CATALOGUE.iter().find(|product| product.slug == slug)
}

/// A price as people write it: `€289`, `€9.50`.
pub fn euros(cents: u32) -> String {
    match (cents / 100, cents % 100) {
        (whole, 0) => format!("€{whole}"),
        (whole, rest) => format!("€{whole}.{rest:02}"),
    }
}
