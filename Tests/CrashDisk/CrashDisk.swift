import Synchronization

/// A disk in memory that loses what was not synced, for every SQLite connection of this process that opens a path on
/// it.
///
/// A power failure leaves of each file what was synced and a part of the rest, in any order, the last write perhaps
/// torn. A file made or deleted is durable in its order, at the latest with the next sync of anything, as with
/// journaling file systems. There is no real input or output.
public final class CrashDisk: Sendable {
  /// The folder of all disks.
  static let root = "/crashdisk/"

  /// Disks by their numbers, as long as they are in use.
  private static let all = Mutex<[Int: WeakDisk]>([:])
  private static let lastNumber = Atomic(0)

  private struct WeakDisk: Sendable {
    weak let disk: CrashDisk?
  }

  private let number: Int
  private let state: Mutex<DiskState>
  /// The characteristics that it tells SQLite (SQLite, `SQLITE_IOCAP`).
  let characteristics: Int32

  /// An empty disk. Chance follows from the seed.
  ///
  /// `overwritesSafely` is true if it tells SQLite that a torn write never harms the bytes around it
  /// (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`), which SQLite takes for granted on Linux. None does any harm here; told
  /// otherwise, SQLite fills its WAL up to a sector's end, and syncs in the middle of a write.
  public init(seed: UInt64, overwritesSafely: Bool = true) {
    number = Self.lastNumber.add(1, ordering: .relaxed).newValue
    state = Mutex(DiskState(seed: seed))
    characteristics = overwritesSafely ? 0x1000 : 0
    let entry = WeakDisk(disk: self)
    Self.all.withLock { [number] in $0[number] = entry }
  }

  deinit { Self.all.withLock { [number] in $0[number] = nil } }

  /// Makes all SQLite connections that this process opens from now on find the disks; other paths go to the files they
  /// went to before.
  public static func install() { CrashDiskVFS.install() }

  /// The path of a file on this disk.
  public func path(_ name: String) -> String { "\(Self.root)\(number)/\(name)" }

  /// Its faults.
  public var faults: DiskFaults {
    get { withState { $0.faults } }
    set { withState { $0.faults = newValue } }
  }

  /// True once the power has failed in the middle of something (`DiskFaults.powerFailsAfter`).
  public var isOff: Bool { withState { $0.isOff } }

  /// The numbers of operations it was asked for so far.
  public var counts: DiskCounts { withState { $0.counts } }

  /// The names of its files.
  public var names: [String] { withState { $0.names } }

  /// A file's bytes as they can be read now; nil where there is none.
  public func content(_ name: String) -> [UInt8]? { withState { $0.content(name) } }

  /// Kills the process, as far as the disk knows: what was written stays, synced or not; all open files are unusable.
  public func kill() { withState { $0.kill() } }

  /// Cuts the power, and lets chance decide what is left of what was not synced. All open files are unusable.
  public func crash(using generator: inout some RandomNumberGenerator) {
    withState { $0.crash(using: &generator) }
  }

  /// Cuts the power, by chance of the disk's own.
  public func crash() { withState { $0.crash() } }

  func withState<Value: Sendable>(_ body: (inout DiskState) -> Value) -> Value {
    state.withLock { body(&$0) }
  }

  /// The disk and the file's name that a path stands for; nil for a path that is on no disk.
  static func find(_ path: String) -> (disk: CrashDisk, name: String)? {
    guard path.hasPrefix(root) else { return nil }
    let parts = path.dropFirst(root.count).split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let number = Int(parts[0]), let disk = all.withLock({ $0[number]?.disk }) else {
      return nil
    }
    return (disk, String(parts[1]))
  }
}
