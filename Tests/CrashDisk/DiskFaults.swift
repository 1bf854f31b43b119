/// What is wrong with a disk until it is put right.
public struct DiskFaults: Hashable, Sendable {
  /// What becomes of fsync(2).
  public enum Sync: Hashable, Sendable {
    /// It does what it says.
    case works
    /// The next one fails, as Linux tells an error once.
    case failsOnce
    /// All fail.
    case failsAlways
  }

  /// Nothing can be made longer (`SQLITE_FULL`); what is there can still be written over.
  public var isFull = false
  /// Nothing can be written (`SQLITE_READONLY`), made or deleted.
  public var isReadOnly = false
  /// Nothing can be read (`SQLITE_IOERR_READ`).
  public var failsReads = false
  /// What becomes of a sync. What a failed one should have made durable is lost at the next power failure, whatever
  /// later syncs say, as the kernel takes it for clean from then on; until then it can be read.
  public var sync = Sync.works
  /// After how many more writes, truncations, syncs and deletions the power fails, nil for never. From then on every
  /// operation fails, until `CrashDisk.crash` or `kill` makes an end of it.
  public var powerFailsAfter: Int?

  /// None.
  public init() {}
}
