import Postgres
import TestHosts

extension Writer {
  func insert(_ draft: OrderDraft, _ connection: PostgresConnection) async throws {
    note(try await draft.insert(over: connection), draft)
  }

  /// Keeps in mind an order that was committed. One in six of the unpaid stays so.
  private func note(_ id: Int64, _ draft: OrderDraft) {
    own.append(id)
    if draft.status == "pending", id % 6 != 0 { unpaid.append(id) }
  }

  func shortTransaction(_ connection: PostgresConnection) async throws {
    _ = try await connection.query("BEGIN")
    let draft = orders.next(.shortTransaction)
    let id = try await draft.insert(over: connection)
    _ = try await connection.query("UPDATE orders SET note = note + 1 WHERE id = $1", [PostgresParameter(id)])
    _ = try await connection.query("COMMIT")
    note(id, draft)
  }

  func longTransaction(_ connection: PostgresConnection) async throws {
    _ = try await connection.query("BEGIN")
    let (draft, other) = (orders.next(.longTransaction), orders.stranger(.longTransaction))
    let id = try await draft.insert(over: connection)
    await pause(Self.severalPolls)
    let second = try await other.insert(over: connection)
    _ = try await connection.query("COMMIT")
    note(id, draft)
    note(second, other)
  }

  /// The ID first, the row later: by itself, or at the end of a transaction whose `now()` is as old as the ID.
  func earlySequence(_ connection: PostgresConnection) async throws {
    let isOneTransaction = orders.choices.chance(percent: 50)
    if isOneTransaction { _ = try await connection.query("BEGIN") }
    let taken = try await connection.query("SELECT nextval('orders_id_seq')").text(0, 0).flatMap(Int64.init)
    await pause(100...2500)
    let draft = orders.next(.earlySequence)
    let id = try await draft.insert(over: connection, id: taken)
    if isOneTransaction { _ = try await connection.query("COMMIT") }
    note(id, draft)
  }

  func savepoints(_ connection: PostgresConnection) async throws {
    _ = try await connection.query("BEGIN")
    var kept: [(Int64, OrderDraft)] = []
    for depth in 0..<orders.choices.int(2...4) {
      _ = try await connection.query("SAVEPOINT s\(depth)")
      let draft = orders.next(.savepoints)
      let id = try await draft.insert(over: connection)
      if orders.choices.chance(percent: 30) {
        _ = try await connection.query("ROLLBACK TO s\(depth)")
      } else {
        kept.append((id, draft))
        if orders.choices.chance(percent: 50) { _ = try await connection.query("RELEASE s\(depth)") }
      }
      await pause(0...800)
    }
    _ = try await connection.query("COMMIT")
    for (id, draft) in kept { note(id, draft) }
  }

  func rolledBack(_ connection: PostgresConnection) async throws {
    _ = try await connection.query("BEGIN")
    _ = try await orders.next(.rolledBack).insert(over: connection)
    await pause(0...1500)
    _ = try await connection.query("ROLLBACK")
  }

  /// Inserts for a transaction that is committed elsewhere: no writer changes the order later.
  func insertUncommitted(_ trouble: Trouble, _ connection: PostgresConnection) async throws {
    _ = try await orders.next(trouble).insert(over: connection)
    guard orders.choices.chance(percent: 40) else { return }
    _ = try await connection.query("SAVEPOINT inner_one")
    _ = try await orders.next(trouble).insert(over: connection)
    _ = try await connection.query("RELEASE inner_one")
  }
}
