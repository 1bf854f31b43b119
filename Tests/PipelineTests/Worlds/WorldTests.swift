import Foundation
import Synchronization
import Testing

/// Random worlds, each from a seed, judged by an oracle of its own: `WORLD_SEEDS` says how many, `WORLD_SEED` which one
/// alone, with all that the daemon says in it, `WORLD_KINDS` what happens in them (`patch,register`, or `-act`).
@Suite(.serialized) struct WorldTests {
  private static func number(_ name: String, _ otherwise: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? otherwise
  }

  private static let count = number("WORLD_SEEDS", 200)
  private static let first = number("WORLD_FIRST", 1)
  private static let only = number("WORLD_SEED", 0)
  private static let brokenMax = number("WORLD_BROKEN", 10)
  private static let kinds = WorldKinds(
    words: ProcessInfo.processInfo.environment["WORLD_KINDS"] ?? "")
  /// As many as there are cores, mostly.
  private static let tasks = number("WORLD_TASKS", 2)

  @Test func noWorldPaysWrongly() async throws {
    guard Self.only == 0 else { return try tell(UInt64(Self.only)) }
    let began = ContinuousClock.now
    let broken = Broken()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<Self.tasks {
        group.addTask {
          for seed in stride(from: Self.first + task, to: Self.first + Self.count, by: Self.tasks) {
            guard broken.count < Self.brokenMax else { return }
            let plan = WorldPlan(seed: UInt64(seed), kinds: Self.kinds)
            guard let fault = Self.fault(plan) else { continue }
            broken.add()
            print("world \(seed): \(fault)\n\(Self.smallest(plan))")
          }
        }
      }
    }
    let count = broken.count
    let took = ContinuousClock.now - began
    print("worlds: \(Self.count) from \(Self.first) in \(took), \(count) broke a rule")
    #expect(count == 0)
  }

  /// The oracle sees the absence of each rule that the worlds are there to prove.
  @Test(arguments: Mutation.allCases) func withoutARuleWorldsBreak(rule: Mutation) {
    let seeds = Self.number("WORLD_PROOF_SEEDS", 1500)
    for seed in 1...seeds {
      let plan = WorldPlan(seed: UInt64(seed), kinds: Self.kinds)
      guard let fault = Self.fault(plan, without: rule), Self.fault(plan) == nil else { continue }
      return print("worlds: without \(rule), world \(seed) breaks: \(fault)")
    }
    Issue.record("none of \(seeds) worlds has found that \(rule) is missing")
  }

  private static func fault(_ plan: WorldPlan, without mutation: Mutation? = nil) -> String? {
    do {
      try RandomWorld(plan, without: mutation).play()
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// Returns the rest of a plan that breaks a rule, without each thing that need not happen for it.
  private static func smallest(_ plan: WorldPlan) -> String {
    var plan = plan
    var fault = ""
    for index in plan.happenings.indices.reversed() {
      var smaller = plan
      smaller.happenings.remove(at: index)
      guard let found = Self.fault(smaller) else { continue }
      (plan, fault) = (smaller, found)
    }
    return "  \(plan.rules)\n" + plan.happenings.map { "  \($0)\n" }.joined() + "  -> \(fault)"
  }

  private func tell(_ seed: UInt64) throws {
    let plan = WorldPlan(seed: seed, kinds: Self.kinds)
    let world = try RandomWorld(plan)
    defer { print((plan.happenings.map { "plan \($0)" } + world.story).joined(separator: "\n")) }
    try world.play()
  }
}

/// The number of worlds that broke a rule.
private final class Broken: Sendable {
  private let found = Mutex(0)
  var count: Int { found.withLock { $0 } }
  func add() { found.withLock { $0 += 1 } }
}
