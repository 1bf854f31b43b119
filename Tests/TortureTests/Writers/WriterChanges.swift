import Postgres
import TestHosts

extension Writer {
  func change(_ trouble: Trouble, _ connection: PostgresConnection) async throws {
    switch trouble {
    case .pay:
      guard let id = takeUnpaid() else { return }
      try await pay(id, connection)
    case .payInSavepoint:
      guard let id = takeUnpaid() else { return }
      _ = try await connection.query("BEGIN")
      _ = try await connection.query("SAVEPOINT paid")
      try await pay(id, connection)
      _ = try await connection.query("RELEASE paid")
      await pause(Self.severalPolls)
      _ = try await connection.query("COMMIT")
    case .stopQualifying: try await update("status = 'refunded'", connection)
    case .revalue: try await update("total_cents = \(orders.choices.int(100...9_999_999))", connection)
    case .touch: try await update("note = note + 1", connection)
    default:
      guard let id = ownOrder() else { return }
      _ = try await connection.query("DELETE FROM orders WHERE id = $1", [PostgresParameter(id)])
      own.removeAll { $0 == id }
      unpaid.removeAll { $0 == id }
    }
  }

  /// Prepares a transaction for another session to end, or for this one.
  func prepare(
    _ connection: PostgresConnection, in prepared: PreparedTransactions,
    _ work: (PostgresConnection) async throws -> Void
  ) async throws {
    guard let id = await prepared.reserve() else { return }
    _ = try await connection.query("BEGIN")
    try await work(connection)
    _ = try await connection.query("PREPARE TRANSACTION '\(id)'")
    let delay = Duration.milliseconds(orders.choices.int(300...8000))
    await prepared.add(
      PreparedTransactions.Pending(id: id, commits: orders.choices.chance(percent: 85), from: .now + delay))
  }

  func finishPrepared(_ connection: PostgresConnection, in prepared: PreparedTransactions) async throws {
    while let transaction = await prepared.takeDue() {
      _ = try await connection.query("\(transaction.commits ? "COMMIT" : "ROLLBACK") PREPARED '\(transaction.id)'")
    }
  }

  func payUncommitted(_ connection: PostgresConnection) async throws {
    if let id = takeUnpaid() { try await pay(id, connection) }
  }

  private func pay(_ id: Int64, _ connection: PostgresConnection) async throws {
    let touch = orders.choices.chance(percent: 25) ? ", updated_at = now()" : ""
    _ = try await connection.query(
      "UPDATE orders SET status = 'paid'\(touch) WHERE id = $1 AND status = 'pending'", [PostgresParameter(id)])
  }

  /// A change of any own order, with a change column as good as any.
  private func update(_ assignment: String, _ connection: PostgresConnection) async throws {
    guard let id = ownOrder() else { return }
    let touch = orders.choices.chance(percent: 50) ? ", updated_at = \(orders.updatedAt())" : ""
    _ = try await connection.query(
      "UPDATE orders SET \(assignment)\(touch) WHERE id = $1", [PostgresParameter(id)])
  }

  private func ownOrder() -> Int64? {
    own.isEmpty ? nil : own[orders.choices.int(0...(own.count - 1))]
  }

  private func takeUnpaid() -> Int64? {
    unpaid.isEmpty ? nil : unpaid.remove(at: orders.choices.int(0...(unpaid.count - 1)))
  }
}
