import Conversions

extension Schema {
  static let orders: [SchemaKey] = [
    SchemaKey(
      "orders.connection", \.orders.connection, .connection,
      .required(example: #""host=/var/run/postgresql dbname=shop""#),
      """
      The way to the shop's PostgreSQL: a libpq connection string or URI. PG* variables, pg_service.conf
      and .pgpass work. No password here: this file is readable by all. To another host, add sslmode=verify-full.
      """),
    SchemaKey(
      "orders.from", \.orders.from, .sql(.fromClause), .required(example: "public.orders"),
      """
      A table, a view, or a FROM clause with joins. A plain table is the fastest to watch.
      SQL's own quotes go inside YAML's, such as '"order" o'.
      """),
    SchemaKey(
      "orders.key", \.orders.key, .sql(.expression), .optional(default: "id"), allowsNull: true,
      """
      The raw primary key, in its own type, that orders are walked and read again by.
      The default is what columns.id says; give it where that is an expression.
      """),
    SchemaKey(
      "orders.where", \.orders.where, ValueKind.sql(.expression).orNull, .optional(default: "null"),
      """
      An SQL condition that tells what is an order at all. Leave out carts, tests, other shops and deleted rows,
      such as "NOT is_draft AND deleted_at IS NULL".
      """),
  ]

  static let columns: [SchemaKey] = [
    SchemaKey(
      "orders.columns.id", \.orders.columns.id, .sql(.expression), .required(example: "id"),
      "The order's ID. Partners see it as externalTransactionId; it must never change."),
    SchemaKey(
      "orders.columns.email", \.orders.columns.email, ValueKind.sql(.expression).orNull,
      .mapped(example: "customer_email"),
      "The buyer's e-mail address. At least one of email and external_source_id is needed."),
    SchemaKey(
      "orders.columns.external_source_id", \.orders.columns.externalSourceID, ValueKind.sql(.expression).orNull,
      .optional(default: "null"),
      "Your own identifier for the referral, as given to the API, where the order keeps it."),
    SchemaKey(
      "orders.columns.customer_id", \.orders.columns.customerID, ValueKind.sql(.expression).orNull,
      .optional(default: "null"),
      "The buyer as this shop names referrers in referrerIdentifier; it tells self-referrals."),
    SchemaKey(
      "orders.columns.total", \.orders.columns.total, ValueKind.sql(.expression).orNull,
      .mapped(example: "total_cents"),
      "The order value. Without it orders are reported without a value."),
    SchemaKey(
      "orders.columns.currency", \.orders.columns.currency, ValueKind.sql(.currency).orNull,
      .mapped(example: "currency"),
      """
      The currency of the total: a column, or a literal such as "'EUR'" in both kinds of quotes.
      Needed where total is mapped.
      """),
    SchemaKey(
      "orders.columns.status", \.orders.columns.status, ValueKind.sql(.expression).orNull, .mapped(example: "status"),
      "The order's status, for qualifying_statuses."),
    SchemaKey(
      "orders.columns.placed_at", \.orders.columns.placedAt, .sql(.expression), .required(example: "created_at"),
      "The time at which the order was placed."),
    SchemaKey(
      "orders.columns.updated_at", \.orders.columns.updatedAt,
      .list(of: .sql(.expression), example: "[updated_at]", lone: true), .mapped(example: "updated_at"),
      """
      A column that changes whenever the order does, or a list of them: raw and indexed, for speed only.
      Without it changes are found by the sweep.
      """),
  ]

  static let ordersRules: [SchemaKey] = [
    SchemaKey(
      "orders.total_unit", \.orders.totalUnit, ValueKind.choice.orNull, .mapped(example: "cents"),
      """
      The unit of total: cents, or major units such as 129.99 (exact decimals). Of an integer column the default
      is cents. A type with decimals (numeric, text) has no default: 50.00 may be fifty euros or half of one.
      """),
    SchemaKey(
      "orders.rounding", \.orders.rounding, .choice, .optional(default: "refuse"),
      "A fraction of a cent sends the order to review, or the value is rounded."),
    SchemaKey(
      "orders.time_zone", \.orders.timeZone, .timeZone, .optional(default: "UTC"),
      "The time zone of columns that are timestamp without time zone. Others carry their own."),
    SchemaKey(
      "orders.qualifying_statuses", \.orders.qualifyingStatuses, .list(of: .status, example: "[paid, completed]"),
      .optional(default: "[paid, completed]"), allowsNull: true,
      "The statuses that make an order a conversion, written as the shop writes them."),
    SchemaKey(
      "orders.qualifies", \.orders.qualifies, ValueKind.sql(.expression).orNull, .optional(default: "null"),
      """
      In place of qualifying_statuses: an SQL condition over several columns, such as
      "payment_state = 'paid' AND state <> 'canceled'".
      """),
    SchemaKey(
      "orders.start", \.orders.start, .start, .optional(default: "auto"),
      """
      The orders that the first start takes in: auto is from the oldest open referral on, as no earlier order
      can match. A day begins in time_zone.
      """),
    SchemaKey(
      "orders.poll_interval", \.orders.pollInterval, .duration(.milliseconds(100)...(.seconds(3_600))),
      .optional(default: "5s"),
      "The newest changes are looked at this often. It takes a millisecond where updated_at has an index."),
    SchemaKey(
      "orders.sweep_interval", \.orders.sweepInterval, .duration(.milliseconds(100)...(.seconds(86_400))),
      .optional(default: "60s"),
      "The sweep, which misses nothing, goes on this often. It keeps to 1 % of the database's time by itself."),
    SchemaKey(
      "orders.notify_channel", \.orders.notifyChannel, ValueKind.channel.orNull, .optional(default: "null"),
      "LISTEN on this channel, and look at once when it speaks. It needs no trust: what it says is not read."),
  ]
}
