import Conversions

@testable import Ledger

extension Simulation {
  /// Makes the ledger itself break a rule, unknown to the loops.
  func switchOff() throws {
    let sql: String? =
      switch without {
      case .frozenBody:
        """
        CREATE TRIGGER IF NOT EXISTS thaw AFTER UPDATE OF send_at ON orders
        WHEN OLD.outcome = 'queued' AND NEW.outcome = 'queued'
        BEGIN DELETE FROM reports WHERE entry = NEW.entry; END
        """
      case .unknownOutcome:
        """
        CREATE TRIGGER IF NOT EXISTS be_sure AFTER UPDATE OF is_unknown ON reports WHEN NEW.is_unknown
        BEGIN UPDATE reports SET is_unknown = 0 WHERE entry = NEW.entry; END
        """
      case .conflictCheck, .reread, nil: nil
      }
    guard let sql else { return }
    try look { try ($0 as? SQLiteTransaction)?.execute(sql) }
  }
}
