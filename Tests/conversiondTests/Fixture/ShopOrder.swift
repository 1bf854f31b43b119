/// One row of a fixture's orders table.
struct ShopOrder: Sendable {
  var id: Int
  var email: String?
  var lead: String?
  var customer: String?
  /// As SQL writes it; NULL for none.
  var total = "1000"
  var currency = "EUR"
  var status = "paid"
  var daysAgo = 1.0

  init(
    _ id: Int, email: String? = nil, lead: String? = nil, customer: String? = nil, total: String = "1000",
    currency: String = "EUR", status: String = "paid", daysAgo: Double = 1
  ) {
    self.id = id
    (self.email, self.lead, self.customer) = (email, lead, customer)
    (self.total, self.currency, self.status, self.daysAgo) = (total, currency, status, daysAgo)
  }

  static let table = """
    CREATE TABLE orders (
      id bigint PRIMARY KEY, customer_email text, lead_id text, customer_id text, total_cents numeric,
      currency text NOT NULL, status text NOT NULL, created_at timestamptz NOT NULL);
    """

  var insertion: String {
    """
    INSERT INTO orders VALUES (\(id), \(Self.literal(email)), \(Self.literal(lead)), \(Self.literal(customer)), \
    \(total), \(Self.literal(currency)), \(Self.literal(status)), now() - \(daysAgo) * interval '1 day');
    """
  }

  private static func literal(_ text: String?) -> String {
    text.map { "'\($0.replacing("'", with: "''"))'" } ?? "NULL"
  }
}
