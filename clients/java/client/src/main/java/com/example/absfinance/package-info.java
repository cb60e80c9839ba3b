/**
 * Client of the portfolio engine abs-finance: {@link com.example.absfinance.AbsFinanceClient} blocks, {@link
 * com.example.absfinance.AsyncAbsFinanceClient} answers with futures and publishers. Requests and answers are the messages of
 * the contract, in {@code com.example.absfinance.v1}.
 */
package com.example.absfinance;
