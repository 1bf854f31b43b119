import Postgres

/// An order as a writer is about to insert it.
struct OrderDraft: Sendable {
  var email: String?
  var reference: String?
  var status = "paid"
  var cents = 1000
  var currency = "EUR"
  /// SQL.
  var placedAt = "clock_timestamp()"
  /// SQL.
  var updatedAt = "now()"
  /// The way in which it is written, for a reader who looks for one that was missed.
  var writtenAs: String

  /// Inserts it, under an ID that was taken before or under the next one, and returns the ID.
  func insert(over connection: PostgresConnection, id: Int64? = nil) async throws -> Int64 {
    let rows = try await connection.query(
      """
      INSERT INTO orders (id, customer_email, lead_id, status, total_cents, currency, placed_at, updated_at, written_as)
      VALUES (coalesce($1::bigint, nextval('orders_id_seq')), $2, $3, $4, $5::bigint, $6, \(placedAt), \(updatedAt), $7)
      RETURNING id
      """,
      [
        PostgresParameter(id.map(String.init)), PostgresParameter(email), PostgresParameter(reference),
        PostgresParameter(status), PostgresParameter(Int64(cents)), PostgresParameter(currency),
        PostgresParameter(writtenAs),
      ])
    guard let id = try rows.text(0, 0).flatMap(Int64.init) else { throw PostgresError(message: "no ID was returned") }
    return id
  }
}
