"""An array in C++ that grows, of items without constructors.

Invariant: where memory runs out nothing of it changes, and the function that asked gives False.
"""

from libc.stddef cimport size_t


cdef extern from *:
    """
    #include <cstdint>
    #include <cstdlib>

    /* Items without constructors; freed when it goes out of scope. */
    template <class Item> struct Grown {
        Item *items = nullptr;
        size_t size = 0, capacity = 0;
        Grown() = default;
        Grown(const Grown &) = delete;
        Grown &operator=(const Grown &) = delete;
        ~Grown() { std::free(items); }

        bool room(size_t more) noexcept { return capacity - size >= more || grow(more); }

        bool grow(size_t more) noexcept {
            if (more > SIZE_MAX / 4 / sizeof(Item) || size > SIZE_MAX / 4 / sizeof(Item)) return false;
            size_t wanted = 2 * size + more;
            void *moved = std::realloc(items, wanted * sizeof(Item));
            if (!moved) return false;
            items = static_cast<Item *>(moved);
            capacity = wanted;
            return true;
        }

        /* Gives back what holds more than `most` items. */
        void trim(size_t most) noexcept {
            if (capacity <= most) return;
            std::free(items);
            items = nullptr;
            size = capacity = 0;
        }

        bool push(Item item) noexcept {
            if (!room(1)) return false;
            items[size++] = item;
            return true;
        }
    };
    """
    cdef cppclass Grown[Item]:
        Item* items
        size_t size
        size_t capacity
        bint room(size_t more) noexcept nogil
        void trim(size_t most) noexcept nogil
        bint push(Item item) noexcept nogil
