import CrashDisk
import Foundation
import GRDB
import TestHosts
import Testing

/// Proves that the disk harms SQLite as a real one does: else a ledger that passes on it would prove nothing.
@Suite("A disk that loses what was not synced")
struct CrashDiskTests {
  @Test(
    "with a sync at each commit nothing is lost, whatever the journal",
    arguments: ["WAL", "DELETE", "TRUNCATE", "PERSIST"], [false, true])
  func synced(_ journal: String, _ overwritesSafely: Bool) throws {
    let disk = CrashDisk(seed: 1, overwritesSafely: overwritesSafely)
    var dice = SeededGenerator(seed: 2)
    var next = 1
    var isDoubtful = false
    for round in 0..<60 {
      let queue = try Connections.open(disk, journal: journal)
      let found = try Connections.numbers(queue)
      #expect(found == Array(1..<next) || isDoubtful && found == Array(1...next), "round \(round)")
      #expect(try Connections.integrity(queue) == ["ok"])
      next = found.count + 1
      disk.faults.powerFailsAfter = Int.random(in: 0...50, using: &dice)
      isDoubtful = false
      while !isDoubtful {
        do {
          try Connections.add(next, to: queue)
          next += 1
        } catch is DatabaseError {
          isDoubtful = true
        }
      }
      disk.crash(using: &dice)
    }
    #expect(next > 60, "the rounds committed something: \(next)")
  }

  @Test("without a sync, rows that were committed are lost within a few rounds", arguments: [1, 2, 3] as [UInt64])
  func unsynced(_ seed: UInt64) throws {
    var lostInRound: Int?
    for round in 1...20 where lostInRound == nil {
      let disk = CrashDisk(seed: seed * 100 + UInt64(round))
      let queue = try Connections.open(disk, synchronous: "OFF")
      for number in 1...30 { try Connections.add(number, to: queue) }
      disk.crash()
      // It may have taken the table with it, or the whole database.
      let found = (try? Connections.open(disk)).flatMap { try? Connections.numbers($0) }
      if found != Array(1...30) { lostInRound = round }
    }
    print("crash without a sync: rows lost in round \(lostInRound ?? 0)")
    #expect(lostInRound != nil)
  }

  @Test("a kill loses nothing that was written, synced or not, and takes the handles")
  func kill() throws {
    let disk = CrashDisk(seed: 1)
    let queue = try Connections.open(disk, synchronous: "OFF")
    for number in 1...30 { try Connections.add(number, to: queue) }
    disk.kill()
    let before = disk.content("test.sqlite-wal")
    #expect(throws: DatabaseError.self) { try Connections.add(31, to: queue) }
    try? queue.close()
    #expect(disk.content("test.sqlite-wal") == before, "the dead connection changes nothing")
    #expect(try Connections.numbers(Connections.open(disk)) == Array(1...30))
  }

  @Test("a full disk refuses what grows, and goes on where there is room again")
  func full() throws {
    let disk = CrashDisk(seed: 1)
    let queue = try Connections.open(disk)
    try Connections.add(1, to: queue)
    disk.faults.isFull = true
    #expect(Self.failure(adding: 2, to: queue) == .SQLITE_FULL)
    disk.faults.isFull = false
    try Connections.add(3, to: queue)
    disk.crash()
    #expect(try Connections.numbers(Connections.open(disk)) == [1, 3])
  }

  @Test("a disk that can't be written, or read")
  func readOnly() throws {
    let disk = CrashDisk(seed: 1)
    let queue = try Connections.open(disk)
    try Connections.add(1, to: queue)
    disk.faults.isReadOnly = true
    #expect(Self.failure(adding: 2, to: queue) == .SQLITE_READONLY)
    disk.faults.isReadOnly = false
    try queue.close()
    disk.faults.failsReads = true
    #expect(throws: (any Error).self) { try Connections.open(disk) }
    disk.faults.failsReads = false
    #expect(try Connections.numbers(Connections.open(disk)) == [1])
  }

  @Test("what a failed sync left behind is lost in most crashes, whatever later syncs say; until then it is read")
  func failedSync() throws {
    var lost = 0
    for seed in 1...20 as ClosedRange<UInt64> {
      let disk = CrashDisk(seed: seed)
      let queue = try Connections.open(disk)
      disk.faults.sync = .failsOnce
      #expect(Self.failure(adding: 1, to: queue) == .SQLITE_IOERR)
      #expect(disk.faults.sync == .works)
      disk.kill()
      // A new connection takes what the kernel shows for written, and adds to it.
      let later = try Connections.open(disk)
      #expect(try Connections.numbers(later) == [1])
      try Connections.add(2, to: later)
      disk.crash()
      if try Connections.numbers(Connections.open(disk)) != [1, 2] { lost += 1 }
    }
    #expect(lost > 5, "of 20, some of which chance spares: \(lost)")
  }

  @Test("files off the disk are where they were, and take part in no crash")
  func otherPaths() throws {
    CrashDisk.install()
    let folder = try TemporaryFolder("crash")
    let queue = try DatabaseQueue(path: folder.path("real.sqlite"))
    try queue.write { try $0.execute(sql: "CREATE TABLE rows (number INTEGER)") }
    try queue.close()
    #expect(FileManager.default.fileExists(atPath: folder.path("real.sqlite")))
    #expect(throws: DatabaseError.self) { try DatabaseQueue(path: "/crashdisk/999999/none.sqlite") }
  }

  private static func failure(adding number: Int, to queue: DatabaseQueue) -> ResultCode? {
    do {
      try Connections.add(number, to: queue)
      return nil
    } catch {
      return (error as? DatabaseError)?.resultCode
    }
  }
}
