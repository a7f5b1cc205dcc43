//! The rows themselves, from a fixed seed. Pure.

/// How many users there are.
pub const USERS: u32 = 6_000;
/// How many products there are.
pub const PRODUCTS: u32 = 400;
/// How many orders there are.
pub const ORDERS: u32 = 14_000;

/// How many rows there are in all.
pub const ROWS: u32 = USERS + PRODUCTS + ORDERS;

const REGIONS: [&str; 4] = ["us-west", "us-east", "eu", "apac"];
const FIRST: [&str; 24] = [
    "Ada", "Bao", "Chidi", "Dana", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kavya", "Lena", "Mateo",
    "Nadia", "Omar", "Priya", "Quinn", "Rosa", "Sami", "Tara", "Uwe", "Vera", "Wei", "Yuki",
];
const LAST: [&str; 24] = [
    "Abe", "Berg", "Costa", "Diaz", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Kim", "Larsen",
    "Moreau", "Nguyen", "Okafor", "Patel", "Quist", "Rossi", "Silva", "Tanaka", "Ueda", "Vargas", "Weber", "Zhou",
];
const KINDS: [(&str, &str, u32); 8] = [
    ("Lamp", "home", 3_900),
    ("Chair", "home", 12_900),
    ("Kettle", "kitchen", 4_500),
    ("Knife", "kitchen", 6_900),
    ("Backpack", "outdoor", 8_900),
    ("Tent", "outdoor", 24_900),
    ("Headphones", "audio", 15_900),
    ("Speaker", "audio", 9_900),
];
const STYLES: [&str; 10] =
    ["Nordic", "Classic", "Compact", "Travel", "Studio", "Copper", "Oak", "Midnight", "Coral", "Field"];
const NOTES: [&str; 5] = [
    "Threatened a chargeback in spring; handle with care.",
    "VIP of the founder's family, do not mention.",
    "Fraud review closed without action.",
    "Asked for account deletion, legal hold until 2027.",
    "Under investigation: shared card with two other accounts.",
];

/// A user of the shop.
pub(super) struct User {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) region: &'static str,
    pub(super) status: &'static str,
    pub(super) created_at: String,
    pub(super) password_hash: String,
    pub(super) ssn: String,
    pub(super) internal_notes: Option<&'static str>,
}

/// A product of the shop.
pub(super) struct Product {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) category: &'static str,
    pub(super) price_cents: u32,
    pub(super) stock: u32,
    pub(super) supplier_cost_cents: u32,
}

/// An order of the shop.
pub(super) struct Order {
    pub(super) id: u32,
    pub(super) user_id: u32,
    pub(super) product_id: u32,
    pub(super) quantity: u32,
    pub(super) total_cents: u32,
    pub(super) status: &'static str,
    pub(super) created_at: String,
    pub(super) stripe_secret_id: String,
    pub(super) payment_token: String,
}

/// `SplitMix64` (Steele, Lea, Flood 2014): small, seeded, the same everywhere. Not for secrets.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u32) -> u32 {
        (self.next() % u64::from(bound.max(1))) as u32
    }

    /// One of a list that is not empty, or nothing of an empty one.
    fn pick_of<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len() as u32) as usize;
        from.get(at).copied().unwrap_or_default()
    }

    fn moment(&mut self) -> String {
        let (month, day) = (self.below(18), 1 + self.below(28));
        let (year, month) = (2025 + month / 12, 1 + month % 12);
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }

    fn token(&mut self, prefix: &str) -> String {
        format!("{prefix}{:016x}{:08x}", self.next(), self.next() as u32)
    }
}

/// Every user, by id.
pub(super) fn users() -> impl Iterator<Item = User> {
    let mut dice = Dice(0x0075_7365_7273);
    (1..=USERS).map(move |id| {
        let (first, last) = (dice.pick_of(&FIRST), dice.pick_of(&LAST));
        User {
            id,
            name: format!("{first} {last}"),
            email: format!("{}.{}{id}@example.com", first.to_lowercase(), last.to_lowercase()),
            region: dice.pick_of(&REGIONS),
            status: if dice.below(10) < 8 { "active" } else { "inactive" },
            created_at: dice.moment(),
            password_hash: dice.token("$argon2id$v=19$"),
            ssn: format!("{:03}-{:02}-{:04}", 900 + dice.below(99), 1 + dice.below(98), 1 + dice.below(9_998)),
            internal_notes: (dice.below(12) == 0).then(|| dice.pick_of(&NOTES)),
        }
    })
}

/// Every product, by id.
pub(super) fn products() -> impl Iterator<Item = Product> {
    let mut dice = Dice(0x7072_6F64);
    (1..=PRODUCTS).map(move |id| {
        let (kind, category, base) = dice.pick_of(&KINDS);
        let price_cents = base + dice.below(40) * 100;
        Product {
            id,
            name: format!("{} {kind} {id}", dice.pick_of(&STYLES)),
            category,
            price_cents,
            stock: dice.below(250),
            supplier_cost_cents: price_cents * (35 + dice.below(30)) / 100,
        }
    })
}

/// Every order, by id.
pub(super) fn orders() -> impl Iterator<Item = Order> {
    let prices: Vec<u32> = products().map(|p| p.price_cents).collect();
    let mut dice = Dice(0x6F72_6465_7273);
    (1..=ORDERS).map(move |id| {
        let product_id = 1 + dice.below(PRODUCTS);
        let quantity = 1 + dice.below(4);
        let price = prices.get(product_id as usize - 1).copied().unwrap_or(0);
        Order {
            id,
            user_id: 1 + dice.below(USERS),
            product_id,
            quantity,
            total_cents: price * quantity,
            status: dice.pick_of(&["pending", "paid", "paid", "shipped", "shipped", "delivered", "refunded"]),
            created_at: dice.moment(),
            stripe_secret_id: dice.token("sk_order_"),
            payment_token: dice.token("tok_"),
        }
    })
}
