/* SPDX-License-Identifier: MIT */
// c++ -std=c++17 quickstart.cpp $(pkg-config --cflags --libs veryfast) -o quickstart
#include <iostream>
#include <string>
#include <veryfast/veryfast.hpp>

int main()
{
    veryfast::pool<std::string> pool;
    auto text = pool.make("any thread may free it"); // a unique_ptr of 8 bytes
    std::cout << (text ? *text : "no memory") << '\n';
}
