// A page table as a tree: four levels of 512, 9 bits of the page number each, as the hardware's own.
// Good for dense ranges: 8 bytes a page, and neighbours share a leaf.
//
// The last leaf is remembered: while faults stay within 2 MiB, finding an entry is one compare and one load.
// Nodes come from memory that the program gives; a node that gets empty goes back to the list of free ones.
#pragma once

#include <array>
#include <span>

#include "libos/paging/entry.hpp"

namespace tessera::libos {

class HierarchicalTable {
  public:
    static constexpr u64 kLevels = 4, kBits = 9, kFanOut = 1 << kBits;

    struct Node {
        std::array<u64, kFanOut> word;  ///< A leaf's: Entry. Others': the number of a node; 0: none.
    };

    /// `nodes` must outlive the table and `used` have as many elements. Contents do not matter.
    HierarchicalTable(std::span<Node> nodes, std::span<u16> used) : nodes_(nodes), used_(used) {
        for (u64 i = nodes_.size(); i-- > 1;) put_free(i);
        if (!nodes_.empty()) clear(0);
    }

    /// Cost: about 6 instructions in the leaf of last time, else about 25.
    Entry find(PageNumber page) {
        if (page.value >> kBits != leaf_tag_ && !walk(page)) return {};
        return Entry{leaf_->word[page.value % kFanOut]};
    }
    /// The same within the leaf of last time; Entry{} outside it.  Hot: nothing in it is worth a call.
    Entry find_nearby(PageNumber page) const {
        return page.value >> kBits == leaf_tag_ ? Entry{leaf_->word[page.value % kFanOut]} : Entry{};
    }

    bool insert(PageNumber page, Entry entry) {
        if (page.value >= kUserPages || entry.word == 0 || nodes_.empty()) return false;
        std::array<u64, kLevels> path{};
        for (u64 level = 1; level < kLevels; ++level) {
            u64& child = nodes_[path[level - 1]].word[index(page, level - 1)];
            if (child == 0) {
                child = take_free();
                if (child == 0) {
                    prune(page, path, level - 1);
                    return false;
                }
                ++used_[path[level - 1]];
            }
            path[level] = child;
        }
        u64& word = nodes_[path[kLevels - 1]].word[index(page, kLevels - 1)];
        if (word == 0) {
            ++used_[path[kLevels - 1]];
            ++size_;
        }
        word = entry.word;
        return true;
    }

    bool erase(PageNumber page) {
        if (page.value >= kUserPages || nodes_.empty()) return false;
        std::array<u64, kLevels> path{};
        for (u64 level = 1; level < kLevels; ++level) {
            path[level] = nodes_[path[level - 1]].word[index(page, level - 1)];
            if (path[level] == 0) return false;
        }
        u64& word = nodes_[path[kLevels - 1]].word[index(page, kLevels - 1)];
        if (word == 0) return false;
        word = 0;
        --used_[path[kLevels - 1]];
        --size_;
        prune(page, path, kLevels - 1);
        return true;
    }

    u64 size() const { return size_; }

  private:
    static constexpr u64 index(PageNumber page, u64 level) {
        return page.value >> (kBits * (kLevels - 1 - level)) & (kFanOut - 1);
    }

    bool walk(PageNumber page) {
        if (page.value >= kUserPages || nodes_.empty()) return false;
        u64 node = 0;
        for (u64 level = 0; level + 1 < kLevels; ++level) {
            node = nodes_[node].word[index(page, level)];
            if (node == 0) return false;
        }
        leaf_ = &nodes_[node];
        leaf_tag_ = page.value >> kBits;
        return true;
    }

    /// Give back the nodes on the path that got empty, from `level` up.
    void prune(PageNumber page, const std::array<u64, kLevels>& path, u64 level) {
        for (; level > 0 && used_[path[level]] == 0; --level) {
            nodes_[path[level - 1]].word[index(page, level - 1)] = 0;
            --used_[path[level - 1]];
            put_free(path[level]);
        }
        leaf_tag_ = kAny;
    }

    void clear(u64 node) {
        nodes_[node].word.fill(0);
        used_[node] = 0;
    }
    u64 take_free() {
        const u64 node = free_;
        if (node == 0) return 0;
        free_ = nodes_[node].word[0];
        clear(node);
        return node;
    }
    void put_free(u64 node) {
        nodes_[node].word[0] = free_;
        free_ = node;
    }

    std::span<Node> nodes_;  // nodes_[0] is the root
    std::span<u16> used_;    // words in use, for each node
    u64 free_ = 0;
    u64 size_ = 0;
    Node* leaf_ = nullptr;
    u64 leaf_tag_ = kAny;
};
static_assert(PageTable<HierarchicalTable>);

}  // namespace tessera::libos
