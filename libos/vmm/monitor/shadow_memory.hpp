// The memory that a shadow decides in: a record for each guest frame, and tables with their copies. The monitor's own.
#pragma once

#include "libos/vmm/monitor/windows.hpp"
#include "libos/vmm/shadow/shadow.hpp"

namespace tessera::vmm {

class ShadowMemory {
  public:
    static constexpr u64 kTables = 512;  ///< Of the guest's, that are traced at once.

    explicit ShadowMemory(u64 frames) {
        if (records_.take(pages_of(frames * sizeof(FrameRecord))).ok()) frames_ = frames;
        if (!copies_.take(pages_of(kTables * sizeof(TableCopy))).ok() || !tables_.take(pages_of(kTables * sizeof(TracedTable))).ok()) {
            frames_ = 0;
            return;
        }
        for (TracedTable& each : tables().tables) each = {};
    }

    /// Was there memory for it? If not, nothing may be done with the shadow.
    bool is_there() const { return frames_ != 0; }
    std::span<FrameRecord> records() const { return {reinterpret_cast<FrameRecord*>(records_.memory()), frames_}; }
    TableMemory tables() const {
        return {{reinterpret_cast<TracedTable*>(tables_.memory()), kTables}, {reinterpret_cast<TableCopy*>(copies_.memory()), kTables}};
    }
    /// Errors: of frame_release.
    Outcome close() {
        TRY(tables_.close());
        TRY(copies_.close());
        return records_.close();
    }

  private:
    static constexpr u64 pages_of(u64 bytes) { return (bytes + kPageSize - 1) / kPageSize; }

    RunWindow records_, copies_, tables_;
    u64 frames_ = 0;
};

}  // namespace tessera::vmm
