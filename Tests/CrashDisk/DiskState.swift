import GRDBSQLite
import TestHosts

/// All that a disk holds, and what each operation does to it, in SQLite's result codes.
struct DiskState {
  /// A change of the folder that is not durable yet.
  private enum FolderChange {
    case made(String)
    case deleted(String, StoredFile)
  }

  /// Goes up each time all open files become unusable.
  private(set) var generation = 0
  var faults = DiskFaults()
  private(set) var counts = DiskCounts()
  private var files: [String: StoredFile] = [:]
  private var folderChanges: [FolderChange] = []
  private(set) var isOff = false
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// The names of all files.
  var names: [String] { files.keys.sorted() }

  /// A file's bytes as they can be read now.
  func content(_ name: String) -> [UInt8]? { files[name]?.cached }

  // MARK: Files by name

  mutating func open(_ name: String, creates: Bool) -> Int32 {
    if isOff { return SQLITE_CANTOPEN }
    if files[name] != nil { return SQLITE_OK }
    guard creates, !faults.isReadOnly else { return SQLITE_CANTOPEN }
    files[name] = StoredFile()
    folderChanges.append(.made(name))
    return SQLITE_OK
  }

  /// Deletes a file, and syncs the folder with it where that is durable.
  mutating func delete(_ name: String, isDurable: Bool) -> Int32 {
    guard uses(), !faults.isReadOnly else { return Self.deleteFailed }
    guard let file = files.removeValue(forKey: name) else { return Self.deleteFoundNone }
    folderChanges.append(.deleted(name, file))
    if isDurable { folderChanges = [] }
    return SQLITE_OK
  }

  func has(_ name: String) -> Bool { !isOff && files[name] != nil }

  // MARK: Files that are open

  /// - Returns: The bytes that are there, which may be fewer; nil for a failure.
  mutating func read(_ name: String, _ generation: Int, count: Int, at offset: Int) -> ArraySlice<UInt8>? {
    counts.reads += 1
    guard isAlive(generation), !faults.failsReads, let file = files[name] else { return nil }
    guard offset < file.cached.count else { return [] }
    return file.cached[offset..<min(file.cached.count, offset + count)]
  }

  mutating func write(_ name: String, _ generation: Int, _ bytes: [UInt8], at offset: Int) -> Int32 {
    counts.writes += 1
    counts.bytes += bytes.count
    return change(name, generation, failure: Self.writeFailed, size: offset + bytes.count) { file in
      file.write(bytes, at: offset)
    }
  }

  mutating func truncate(_ name: String, _ generation: Int, to size: Int) -> Int32 {
    change(name, generation, failure: Self.truncateFailed, size: size) { $0.truncate(to: size) }
  }

  private mutating func change(
    _ name: String, _ generation: Int, failure: Int32, size: Int, _ body: (inout StoredFile) -> Void
  ) -> Int32 {
    guard isAlive(generation), uses(), let now = files[name]?.cached.count else { return failure }
    if faults.isReadOnly { return SQLITE_READONLY }
    if faults.isFull, size > now { return SQLITE_FULL }
    // Within the dictionary, and with no copy of the file alive, so that no write copies all of it.
    body(&files[name, default: StoredFile()])
    return SQLITE_OK
  }

  /// Journaling file systems write their log up to this moment, so that all that was made or deleted is durable too.
  mutating func sync(_ name: String, _ generation: Int) -> Int32 {
    counts.syncs += 1
    guard isAlive(generation), uses(), files[name] != nil else { return Self.syncFailed }
    guard faults.sync == .works else {
      if faults.sync == .failsOnce { faults.sync = .works }
      files[name]?.failSync(using: &generator)
      return Self.syncFailed
    }
    files[name]?.sync()
    folderChanges = []
    return SQLITE_OK
  }

  func size(_ name: String, _ generation: Int) -> Int? { isAlive(generation) ? files[name]?.cached.count : nil }

  func isAlive(_ generation: Int) -> Bool { !isOff && generation == self.generation }

  /// Counts an operation that changes something; false from the moment in which the power fails.
  private mutating func uses() -> Bool {
    if isOff { return false }
    guard let left = faults.powerFailsAfter else { return true }
    faults.powerFailsAfter = left - 1
    isOff = left <= 0
    return !isOff
  }

  // MARK: Ends

  mutating func kill() {
    generation += 1
    (isOff, faults.powerFailsAfter) = (false, nil)
  }

  mutating func crash(using generator: inout some RandomNumberGenerator) {
    kill()
    // The folder's changes are logged in their order: a beginning of them is durable, the rest is undone from its end.
    let kept = folderChanges.isEmpty ? 0 : Int.random(in: 0...folderChanges.count, using: &generator)
    for change in folderChanges[kept...].reversed() {
      switch change {
      case .made(let name): files[name] = nil
      case .deleted(let name, let file): files[name] = file
      }
    }
    folderChanges = []
    for name in names { files[name]?.crash(using: &generator) }
  }

  /// The same, by chance of the disk's own.
  mutating func crash() {
    var own = generator
    crash(using: &own)
    generator = own
  }

  // SQLite's extended result codes (SQLite, Result and Error Codes): SQLITE_IOERR and a number in the second byte.
  static let readFailed = SQLITE_IOERR | 1 << 8
  static let shortRead = SQLITE_IOERR | 2 << 8
  static let writeFailed = SQLITE_IOERR | 3 << 8
  static let syncFailed = SQLITE_IOERR | 4 << 8
  static let truncateFailed = SQLITE_IOERR | 6 << 8
  static let sizeFailed = SQLITE_IOERR | 7 << 8
  static let deleteFailed = SQLITE_IOERR | 10 << 8
  static let deleteFoundNone = SQLITE_IOERR | 23 << 8
}
