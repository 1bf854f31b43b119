import Conversions
import Ledger
import Testing

/// Ledgers that earlier versions wrote.
@Suite(.timeLimit(.minutes(1))) struct OlderLedgerTests {
  /// SQL that undoes the fourth migration and the tenth.
  private static let third = """
    DROP INDEX orders_id_check;
    DROP INDEX orders_changed_since;
    ALTER TABLE orders DROP COLUMN id_check;
    ALTER TABLE orders DROP COLUMN changed_since;
    DELETE FROM grdb_migrations WHERE identifier LIKE '10:%';
    CREATE TABLE candidates (entry INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE, referral_id TEXT NOT NULL,
      matched_by TEXT NOT NULL, verdict TEXT NOT NULL, PRIMARY KEY (entry, referral_id)) STRICT, WITHOUT ROWID;
    INSERT INTO candidates VALUES (1, 'r"1', 'email', 'chosen'), (1, 'r2', 'external_source_id', 'not_preferred');
    ALTER TABLE orders DROP COLUMN candidates;
    DROP INDEX orders_transaction;
    CREATE INDEX orders_transaction ON orders (transaction_id) WHERE transaction_id IS NOT NULL;
    DROP INDEX orders_opened_by_rules;
    ALTER TABLE orders DROP COLUMN opened_by_rules;
    DROP TABLE acts;
    DELETE FROM grdb_migrations WHERE identifier LIKE '4:%' OR identifier LIKE '9:%';
    """

  @Test func candidatesOfAnEarlierVersionAreKept() async throws {
    let fixture = try LedgerFixture()
    do {
      let ledger = try fixture.open()
      _ = try await ledger.take([.readable(makeOrder(1)), .readable(makeOrder(2))])
      try ledger.close()
    }
    try sqlite(fixture.path, Self.third)
    let opened = try fixture.open()
    let candidates = try await opened.transaction { tx in
      (try tx.candidates(of: EntryID(1)), try tx.candidates(of: EntryID(2)))
    }
    #expect(candidates.0.map(\.referralID.text) == ["r\"1", "r2"])
    #expect(candidates.0.map(\.verdict) == [.chosen, .notPreferred] && candidates.1.isEmpty)
    #expect(try await opened.integrityFaults().isEmpty)
  }

  /// SQL that undoes the seventh and the eighth migration.
  private static let sixth = """
    INSERT INTO attempts (entry, number, started_at) SELECT entry, 1, last_sent_at FROM reports WHERE is_sending = 1;
    UPDATE orders SET outcome = 'sending', send_at = NULL, decided_at = first_seen_at
      WHERE entry IN (SELECT entry FROM reports WHERE is_sending = 1);
    DROP INDEX reports_sending;
    ALTER TABLE reports DROP COLUMN is_sending;
    DROP INDEX orders_to_decide;
    CREATE INDEX orders_to_decide ON orders (decide_at) WHERE decide_at IS NOT NULL;
    DROP INDEX orders_email;
    DROP INDEX orders_external;
    CREATE INDEX orders_open_email ON orders (email)
      WHERE email IS NOT NULL AND outcome IN ('waiting', 'held', 'queued', 'review');
    CREATE INDEX orders_open_external ON orders (external_source_id)
      WHERE external_source_id IS NOT NULL AND outcome IN ('waiting', 'held', 'queued', 'review');
    DROP INDEX referrals_closed;
    DROP INDEX referrals_open;
    CREATE INDEX referrals_status ON referrals (status, seen_at);
    CREATE INDEX referrals_open ON referrals (created_at) WHERE status IN ('clicked', 'pending');
    DELETE FROM grdb_migrations WHERE identifier LIKE '7:%' OR identifier LIKE '8:%';
    """

  @Test func aSendThatAnEarlierVersionDidNotEndIsAnUnknownOutcome() async throws {
    let fixture = try LedgerFixture()
    do {
      let ledger = try fixture.open()
      _ = try await ledger.take([.readable(makeOrder(1)), .readable(makeOrder(2))])
      try await ledger.settleCatchUp()
      try await ledger.transaction { tx in
        try tx.decide(EntryID(1), .queued("r1"), at: epoch)
        try tx.decide(EntryID(2), .queued("r2"), at: epoch)
        _ = try tx.beginSend(EntryID(1), makeReport(makeOrder(1)), at: epoch)
      }
      try ledger.close()
    }
    try sqlite(fixture.path, Self.sixth)
    let opened = try fixture.open()
    #expect(try await opened.entry(1)?.outcome == .sending)
    #expect(try await opened.transaction { try $0.outcomes(since: epoch) } == [.sending: 1, .queued: 1])
    let attempts = try await opened.transaction { tx in
      let count = try tx.recoverInterruptedSends(at: epoch)
      #expect(count == 1)
      return try tx.attempts(of: EntryID(1))
    }
    #expect(attempts.map(\.number) == [1] && attempts.first?.verdict == nil)
    let order = try await opened.entry(1)
    #expect(order?.outcome == .queued && order?.frozen?.hasUnknownOutcome == true && order?.dueAt == epoch)
    #expect(
      try await opened.transaction { try $0.nextToSend(at: epoch, seenUpTo: epoch, limit: 9) }.map(\.entry.number) == [
        1, 2,
      ])
    #expect(try await opened.integrityFaults().isEmpty)
  }
}
